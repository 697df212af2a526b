"""The job: decode, compute, hand on, batch by batch, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.data.transforms import normalise
from apnet.embedding.backends import Backend
from apnet.embedding.stream import ImageBatch, decoded_batches
from apnet.errors import ImageError
from apnet.types import ImageRecord


@dataclass(frozen=True)
class Manner:
    """How images are embedded."""

    image_size: tuple[int, int]
    """H and W in pixels."""

    flip: bool = True
    """Whether the mirror image's feature is added."""

    skip_unreadable: bool = False
    """Whether images that cannot be used are left out, instead of ending the job."""

    threads: int = 1
    """Threads that decode, 1 or more."""

    batch_size: int = 64
    """Images in one forward pass."""


@dataclass(frozen=True)
class EmbeddedBatch:
    """Consecutive images with their features, and those among them that were left out."""

    records: Sequence[ImageRecord]
    """The B images that have features."""

    features: NDArray[np.float32]
    """(B, D), L2-normalised."""

    faults: Sequence[tuple[ImageRecord, ImageError]]
    """Images left out, and why."""


def embed_stream(
    backend: Backend, records: Sequence[ImageRecord], manner: Manner
) -> Iterator[EmbeddedBatch]:
    """Embeds images while further ones are decoded; memory does not grow with their number.

    Args:
        backend: computes the features.
        records: the images.
        manner: how.

    Yields:
        Batches in the order of the records. Images before a fault come before its error.

    Raises:
        ImageError: an image cannot be used, and ``skip_unreadable`` is off.
    """
    batches = decoded_batches(
        records,
        manner.image_size,
        manner.batch_size,
        threads=manner.threads,
        skip=manner.skip_unreadable,
    )
    for batch in batches:
        yield EmbeddedBatch(batch.records, _features(backend, batch, manner.flip), batch.faults)


def _features(backend: Backend, batch: ImageBatch, flip: bool) -> NDArray[np.float32]:
    if not batch.records:
        return np.empty((0, 0), np.float32)
    features: NDArray[np.float32] = backend.embed(normalise(batch.images()), flip=flip).numpy()
    return features
