"""The one pipeline that decodes and embeds: threads decode ahead of the network, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from apnet.data import read_image
from apnet.data.transforms import normalise, resize
from apnet.embedding.backends import Backend
from apnet.errors import ConfigError, ImageError
from apnet.types import ImageRecord

T = TypeVar("T")
"""An image to come: an ``ImageRecord``, or whatever ``read`` takes."""

BATCH_SIZE = 64
"""Images in one forward pass, unless the caller says otherwise."""


@dataclass(frozen=True)
class EmbedOptions:
    """How images are embedded."""

    image_size: tuple[int, int]
    """H and W in pixels."""

    flip: bool = True
    """Whether the mirror image's feature is added."""

    skip_unreadable: bool = False
    """Whether images that cannot be used are left out, instead of ending the job."""

    threads: int = 1
    """Threads that decode beside the network, 1 or more."""

    batch_size: int = BATCH_SIZE
    """Images in one forward pass."""


@dataclass
class ImageBatch(Generic[T]):
    """Consecutive images, decoded and resized, and the faults found among them."""

    records: list[T] = field(default_factory=list)
    """The usable images."""

    pixels: list[Tensor] = field(default_factory=list)
    """(3, H, W) uint8 per usable image."""

    faults: list[tuple[T, ImageError]] = field(default_factory=list)
    """Images left out, and why."""

    def images(self) -> Tensor:
        """Returns the usable images as (B, 3, H, W) uint8."""
        return torch.stack(self.pixels)


@dataclass(frozen=True)
class EmbeddedBatch(Generic[T]):
    """Consecutive images with their features, and the faults found among them."""

    records: Sequence[T]
    """The B images that have features."""

    features: NDArray[np.float32]
    """(B, D), L2-normalised."""

    faults: Sequence[tuple[T, ImageError]]
    """Images left out, and why."""


def read_record(record: ImageRecord) -> Tensor:
    """Returns the pixels of a record's file, see ``read_image``."""
    return read_image(record.path)


def embed_stream(
    backend: Backend,
    records: Sequence[T],
    options: EmbedOptions,
    read: Callable[[T], Tensor] = read_record,  # type: ignore[assignment]
) -> Iterator[EmbeddedBatch[T]]:
    """Embeds images while further ones are decoded; memory does not grow with their number.

    Args:
        backend: computes the features.
        records: the images.
        options: image size, mirror image, threads, batch size.
        read: returns the pixels of one, (3, H, W) uint8; called on any thread.

    Yields:
        Batches in the order of the records. Images before a fault come before its error.

    Raises:
        ConfigError: the batch size is below 1.
        ImageError: an image cannot be used, and ``skip_unreadable`` is off.
    """
    batches = decoded_batches(
        records,
        options.image_size,
        options.batch_size,
        threads=options.threads,
        skip=options.skip_unreadable,
        read=read,
    )
    for batch in batches:
        yield EmbeddedBatch(batch.records, _features(backend, batch, options.flip), batch.faults)


def decoded_batches(
    records: Sequence[T],
    size: tuple[int, int],
    batch_size: int = BATCH_SIZE,
    *,
    threads: int = 1,
    skip: bool = False,
    read: Callable[[T], Tensor] = read_record,  # type: ignore[assignment]
) -> Iterator[ImageBatch[T]]:
    """Decodes and resizes images while the caller works on the batch before.

    At most two batches wait, as uint8: 6 * B * H * W bytes, whatever the number of images.

    Args:
        records: the images.
        size: H and W in pixels.
        batch_size: B, usable images per batch; the last batch may contain fewer.
        threads: threads that decode, 1 or more.
        skip: whether images that cannot be used are left out and noted in their batch.
        read: as for ``embed_stream``.

    Yields:
        Batches in the order of the records.

    Raises:
        ConfigError: the batch size is below 1.
        ImageError: an image cannot be used, and ``skip`` is off; those before it were yielded.
    """
    if batch_size < 1:
        raise ConfigError(f"batch size {batch_size} must be 1 or more")
    batch: ImageBatch[T] = ImageBatch()

    def decode(record: T) -> Tensor:
        return resize(read(record), size)

    for record, decoding in _decoding(records, decode, 2 * batch_size, threads):
        try:
            batch.pixels.append(decoding.result())
            batch.records.append(record)
        except ImageError as error:
            if not skip:
                if batch.records:
                    yield batch
                raise
            batch.faults.append((record, error))
        if len(batch.records) == batch_size or len(batch.faults) == batch_size:
            yield batch
            batch = ImageBatch()
    if batch.records or batch.faults:
        yield batch


def _decoding(
    records: Sequence[T], decode: Callable[[T], Tensor], ahead: int, threads: int
) -> Iterator[tuple[T, Future[Tensor]]]:
    """Yields every record with its (3, H, W) uint8 image to come; up to ``ahead`` are begun."""
    left = iter(records)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        waiting = deque((record, pool.submit(decode, record)) for record in islice(left, ahead))
        while waiting:
            first = waiting.popleft()
            waiting.extend((record, pool.submit(decode, record)) for record in islice(left, 1))
            yield first
    finally:
        pool.shutdown(cancel_futures=True)


def _features(backend: Backend, batch: ImageBatch[T], flip: bool) -> NDArray[np.float32]:
    if not batch.records:
        return np.empty((0, 0), np.float32)
    features: NDArray[np.float32] = backend.embed(normalise(batch.images()), flip=flip).numpy()
    return features
