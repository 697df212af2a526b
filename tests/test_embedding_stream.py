import numpy as np
import pytest
import torch
from PIL import Image

from apnet.data import EvaluationTransform, read_image
from apnet.data.transforms import normalise
from apnet.embedding import EmbedOptions, embed_records, embed_stream
from apnet.embedding.engines.eager import eager_backend
from apnet.embedding.stream import decoded_batches
from apnet.errors import ConfigError, ImageError
from apnet.model import create_network
from apnet.types import ImageRecord

SIZE = (32, 16)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return create_network("apnet-c2-small", image_size=SIZE).eval()


@pytest.fixture
def records(tmp_path):
    random = np.random.default_rng(0)
    made = []
    for index in range(11):
        path = tmp_path / f"{index:02d}.png"
        Image.fromarray(random.integers(0, 256, (20 + index, 10, 3)).astype(np.uint8)).save(path)
        made.append(ImageRecord(path, index, 1))
    return made


@pytest.mark.parametrize("threads", [1, 3])
def test_pixels_and_order_are_those_of_the_files(records, threads):
    batches = list(decoded_batches(records, SIZE, 4, threads=threads))
    assert [len(batch.records) for batch in batches] == [4, 4, 3]
    assert [record for batch in batches for record in batch.records] == records
    images = torch.cat([normalise(batch.images()) for batch in batches])
    transform = EvaluationTransform(SIZE)
    expected = torch.stack([transform(read_image(record.path)) for record in records])
    torch.testing.assert_close(images, expected, atol=0, rtol=0)


def test_no_more_than_two_batches_are_decoded_ahead(records, monkeypatch):
    started = []

    def reading(path):
        started.append(path)
        return read_image(path)

    monkeypatch.setattr("apnet.embedding.stream.read_image", reading)
    stream = decoded_batches(records, SIZE, 2, threads=2)
    next(stream)
    assert len(started) <= 2 + 2 * 2
    stream.close()
    seen = len(started)
    assert seen < len(records)


def test_images_before_a_fault_come_first(records):
    records[5].path.write_bytes(b"")
    seen = []
    with pytest.raises(ImageError, match=r"05\.png: an empty file"):
        seen.extend(batch.records for batch in decoded_batches(records, SIZE, 4, threads=2))
    stream = decoded_batches(records, SIZE, 4, threads=2)
    assert [next(stream).records, next(stream).records] == [records[:4], records[4:5]]
    with pytest.raises(ImageError):
        next(stream)


def test_faults_are_left_out_in_one_pass(records):
    for index in (0, 5, 10):
        records[index].path.write_bytes(b"")
    batches = list(decoded_batches(records, SIZE, 4, threads=2, skip=True))
    assert [len(batch.records) for batch in batches] == [4, 4, 0]
    faults = [record for batch in batches for record, _ in batch.faults]
    assert faults == [records[index] for index in (0, 5, 10)]
    kept = [record for batch in batches for record in batch.records]
    assert kept == [record for record in records if record not in faults]


@pytest.mark.parametrize("flip", [True, False])
def test_a_job_gives_what_the_reference_gives(network, records, flip):
    expected = embed_records(network, records, SIZE, flip=flip)
    backend = eager_backend(network, torch.device("cpu"), "float32")
    options = EmbedOptions(SIZE, flip=flip, threads=2, batch_size=4)
    features = np.concatenate([batch.features for batch in embed_stream(backend, records, options)])
    np.testing.assert_allclose(features, expected.features, atol=1e-5)
    assert features.dtype == np.float32


def test_a_batch_needs_an_image(records):
    with pytest.raises(ConfigError, match="batch size 0 must be 1 or more"):
        next(decoded_batches(records, SIZE, 0))
