"""Batches of tensors from image records, identical for any number of worker processes."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from apnet.data.images import read_image
from apnet.data.sampling import Draw, PKBatches
from apnet.data.transforms import TrainingTransform, resize
from apnet.errors import ConfigError, DataError
from apnet.progress import Progress, silent
from apnet.types import ImageRecord

_T = TypeVar("_T")

_DEATHS = ("exited unexpectedly", "killed by signal")  # how torch reports a lost worker


class TrainingBatch(NamedTuple):
    """The input of one training step."""

    images: Tensor
    """(B, 3, H, W) float32, normalised."""

    labels: Tensor
    """(B,) int64."""

    records: list[int]
    """Indices of the records."""


class DecodedCache:
    """All images, decoded and resized once and kept in memory: N * 3 * H * W bytes.

    Args:
        records: the images.
        size: height and width in pixels.
        progress: called with (images done, total images).

    Raises:
        ImageError: an image cannot be read.
    """

    def __init__(
        self,
        records: Sequence[ImageRecord],
        size: tuple[int, int],
        progress: Progress = silent,
    ) -> None:
        self.size = (size[0], size[1])
        self._pixels = torch.empty((len(records), 3, *self.size), dtype=torch.uint8)

        def fill(index: int) -> None:
            self._pixels[index] = resize(read_image(records[index].path), self.size)

        with ThreadPoolExecutor() as threads:
            for done, _ in enumerate(threads.map(fill, range(len(records))), start=1):
                progress(done, len(records))

    def __getitem__(self, index: int) -> Tensor:
        """Returns (3, H, W) uint8; the caller must not write to it."""
        return self._pixels[index]


def training_batches(
    records: Sequence[ImageRecord],
    labels: Sequence[int],
    batches: PKBatches,
    transform: TrainingTransform,
    *,
    seed: int,
    epoch: int,
    start: int = 0,
    rank: int = 0,
    world: int = 1,
    workers: int = 0,
    cache: DecodedCache | None = None,
) -> Iterator[TrainingBatch]:
    """Yields the batches of an epoch, beginning with batch ``start``.

    An image's augmentation depends only on (seed, epoch, position in the epoch), so the tensors are
    bit-identical for any number of workers, after resuming, and when the epoch is shared among
    processes. torch's global generator is not used.

    Args:
        records: the training images.
        labels: label of each record.
        batches: the sampler.
        transform: resize and augmentation.
        seed: of the run.
        epoch: number of this epoch.
        start: number of batches to skip (already done before an interruption).
        rank: the part of every batch to yield, see ``PKBatches.share``.
        world: number of parts.
        workers: number of decoding processes; 0 decodes in the calling process.
        cache: the decoded records at the transform's size, used instead of the files.

    Raises:
        ConfigError: the cache has another size than the transform, or a batch's identities cannot
            be shared equally.
        ImageError: an image cannot be read; nothing is skipped.
        DataError: a worker process died.
    """
    if cache is not None and cache.size != transform.size:
        raise ConfigError(f"cached images are {cache.size}, the transform makes {transform.size}")
    draws = batches.share(epoch, rank, world)[start:]
    make = _TrainingBatches(records, labels, draws, transform, (seed, epoch), cache)
    return _produce(make, len(draws), workers)


@dataclass(frozen=True)
class _TrainingBatches:
    records: Sequence[ImageRecord]
    labels: Sequence[int]
    batches: Sequence[Sequence[Draw]]
    transform: TrainingTransform
    seeds: tuple[int, int]
    cache: DecodedCache | None

    def __call__(self, number: int) -> TrainingBatch:
        draws = self.batches[number]
        return TrainingBatch(
            images=_filled(len(draws), self.transform.size, map(self._image, draws)),
            labels=torch.tensor([self.labels[draw.record] for draw in draws]),
            records=[draw.record for draw in draws],
        )

    def _image(self, draw: Draw) -> Tensor:
        generator = torch.Generator().manual_seed(mixed_seed(*self.seeds, draw.position))
        if self.cache is not None:
            return self.transform.augment(self.cache[draw.record], generator)
        return self.transform(read_image(self.records[draw.record].path), generator)


def _filled(count: int, size: tuple[int, int], images: Iterable[Tensor]) -> Tensor:
    """Stacks images one by one; collecting them in a list first would take the memory twice."""
    batch = torch.empty((count, 3, *size))
    for place, image in enumerate(images):
        batch[place] = image
    return batch


def mixed_seed(*parts: int) -> int:
    """Returns a 64-bit seed that depends on every part and their order."""
    text = ",".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _produce(make: Callable[[int], _T], count: int, workers: int) -> Iterator[_T]:
    if workers <= 0 or count == 0:
        return map(make, range(count))
    return _produce_in_workers(make, count, min(workers, count))


def _produce_in_workers(make: Callable[[int], _T], count: int, workers: int) -> Iterator[_T]:
    with warnings.catch_warnings():  # about more workers than cores
        warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)
        loader: DataLoader[_T | DataError] = DataLoader(
            _Guarded(make, count),
            batch_size=None,
            num_workers=workers,
            collate_fn=_unchanged,
            generator=torch.Generator(),  # else the loader draws from torch's global generator
        )
        iterator = iter(loader)
    for _ in range(count):
        try:
            made = next(iterator)
        except RuntimeError as error:
            if not any(sign in str(error) for sign in _DEATHS):
                raise
            raise DataError(
                "a process that loads images died, most likely for lack of (shared) memory; use "
                "fewer workers, or 0"
            ) from None
        if isinstance(made, DataError):
            raise made
        yield made


@dataclass(frozen=True)
class _Guarded(Dataset[_T | DataError]):
    """Returns errors as values, as a worker's exception would arrive wrapped in its traceback."""

    make: Callable[[int], _T]
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> _T | DataError:
        try:
            return self.make(number)
        except DataError as error:
            return error


def _unchanged(made: _T) -> _T:
    return made
