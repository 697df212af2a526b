import os
import signal

import numpy as np
import pytest
import torch
from PIL import Image

from apnet.data import (
    DecodedCache,
    PKBatches,
    TrainingTransform,
    training_batches,
)
from apnet.errors import ConfigError, DataError, ImageError
from apnet.types import ImageRecord

pytestmark = [  # about small machines and about forking beside threads
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]
SIZE = (32, 16)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """12 images of 4 people, of different sizes."""
    folder = tmp_path_factory.mktemp("images")
    made = []
    for index in range(12):
        random = np.random.default_rng(index)
        path = folder / f"{index}.png"
        Image.fromarray(random.integers(0, 256, (30 + index, 20, 3), np.uint8)).save(path)
        made.append(ImageRecord(path, pid=index % 4))
    return made


@pytest.fixture
def batches(records):
    """Returns a function that makes the batches of an epoch with given options."""
    sampler = PKBatches([record.pid for record in records], 2, 2, seed=3)

    def make(epoch=1, **options):
        labels = [record.pid for record in records]
        return list(
            training_batches(
                records, labels, sampler, TrainingTransform(SIZE), seed=3, epoch=epoch, **options
            )
        )

    return make


def assert_same(ours, others):
    assert len(ours) == len(others) > 0
    for one, other in zip(ours, others, strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.labels, other.labels)
        assert one.records == other.records


def test_a_batch(batches, records):
    for images, labels, indices in batches():
        assert images.shape == (4, 3, *SIZE)
        assert images.dtype == torch.float32
        assert labels.dtype == torch.int64
        assert labels.tolist() == [records[index].pid for index in indices]
        assert labels[0] == labels[1] != labels[2] == labels[3]


def test_any_number_of_workers_makes_the_same_batches(batches):
    alone = batches()
    assert_same(batches(workers=1), alone)
    assert_same(batches(workers=2), alone)


@pytest.mark.parametrize("workers", [0, 2])
def test_resuming_goes_on_with_the_same_batches(batches, workers):
    whole = batches()
    assert_same(batches(start=1, workers=workers), whole[1:])
    assert batches(start=len(whole), workers=workers) == []


def test_shares_of_two_processes_are_the_batch(batches):
    whole = batches()
    first, second = (batches(rank=rank, world=2) for rank in (0, 1))
    for one, other, both in zip(first, second, whole, strict=True):
        assert torch.equal(torch.cat([one.images, other.images]), both.images)
        assert one.records + other.records == both.records


def test_epochs_differ_even_where_the_images_do_not(records):
    alone = PKBatches([0], identities_per_batch=1, images_per_identity=2, seed=0)
    made = [
        next(
            training_batches(
                records[:1], [0], alone, TrainingTransform(SIZE), seed=seed, epoch=epoch
            )
        ).images
        for seed, epoch in ((0, 0), (0, 1), (1, 0))
    ]
    assert not torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


def test_a_cache_changes_nothing_and_reads_no_files(batches, records, monkeypatch):
    seen = []
    cache = DecodedCache(records, SIZE, progress=lambda *step: seen.append(step))
    assert seen == [(done, 12) for done in range(1, 13)]
    expected = batches()
    monkeypatch.setattr("apnet.data.loading.read_image", lambda path: pytest.fail(f"read {path}"))
    for workers in (0, 2):
        assert_same(batches(cache=cache, workers=workers), expected)
    assert_same(batches(cache=cache), expected)  # augmenting has left the cache as it was


def test_a_cache_of_another_size(batches, records):
    with pytest.raises(ConfigError, match="cached images are"):
        batches(cache=DecodedCache(records[:1], (8, 8)))


def test_the_global_generator_is_left_alone(batches):
    before = torch.get_rng_state()
    for workers in (0, 2):
        batches(workers=workers)
        assert torch.equal(torch.get_rng_state(), before)


def one_batch(records, transform=TrainingTransform, workers=0):
    """The one batch of two images of the same person."""
    sampler = PKBatches([0, 0], identities_per_batch=1, images_per_identity=2, seed=0)
    return list(
        training_batches(
            records, [0, 0], sampler, transform(SIZE), seed=0, epoch=0, workers=workers
        )
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_image_is_one_clear_error(records, tmp_path, workers):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    spoilt = [records[0], ImageRecord(broken, 0)]
    with pytest.raises(ImageError) as caught:
        one_batch(spoilt, workers=workers)
    assert str(caught.value).startswith(f"{broken}: cannot be decoded")
    assert "\n" not in str(caught.value)
    with pytest.raises(ImageError, match=r"broken\.jpg"):
        DecodedCache(spoilt, SIZE)


class Killer(TrainingTransform):
    """Stands for the kernel that ends a process for lack of memory."""

    def __call__(self, image, generator):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_is_explained(records):
    with pytest.raises(DataError, match="use fewer workers"):
        one_batch(records[:2], Killer, workers=1)


def test_a_mistake_of_ours_keeps_its_traceback(records):
    with pytest.raises(AttributeError, match="in DataLoader worker"):
        one_batch([records[0], None], workers=1)
