import numpy as np
import pytest
import torch
from PIL import Image

from apnet.embedding import embed_images, embed_records
from apnet.errors import ImageError
from apnet.model import create_network
from apnet.types import ImageRecord


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return create_network("apnet-c2-small", image_size=(32, 16)).eval()


@pytest.fixture
def records(tmp_path):
    random = np.random.default_rng(0)
    made = []
    for index in range(5):
        path = tmp_path / f"{index}.png"
        Image.fromarray(random.integers(0, 256, (20 + index, 10, 3)).astype(np.uint8)).save(path)
        made.append(ImageRecord(path, index, 1))
    return made


@torch.no_grad()
def test_the_mirror_images_feature_is_added_before_normalising(network):
    images = torch.randn(3, 3, 32, 16)
    total = network.embed(images) + network.embed(images.flip(3))
    expected = total / total.norm(dim=1, keepdim=True)
    torch.testing.assert_close(embed_images(network, images), expected)
    torch.testing.assert_close(embed_images(network, images.flip(3)), expected)
    plain = embed_images(network, images, flip=False)
    assert (plain - expected).abs().max() > 1e-4


def test_batches_do_not_matter_and_order_is_kept(network, records):
    told = []
    one = embed_records(
        network, records, (32, 16), batch_size=2, progress=lambda *at: told.append(at)
    )
    two = embed_records(network, records, (32, 16), batch_size=5)
    np.testing.assert_allclose(one.features, two.features, atol=1e-5)
    assert one.pids.tolist() == [0, 1, 2, 3, 4]
    assert one.paths == tuple(str(record.path) for record in records)
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_the_mode_is_restored_even_after_an_error(network, records, tmp_path):
    network.train()
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"bad\.jpg"):
        embed_records(network, [*records, ImageRecord(tmp_path / "bad.jpg", 9)], (32, 16))
    assert network.training
    network.eval()


def test_no_images(network):
    assert embed_records(network, [], (32, 16)).features.shape == (0, 256)
