"""Agreement of a back-end with the reference, on a sample of the user's own images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from apnet.data.transforms import normalise
from apnet.embedding.backends import Arithmetic, Backend
from apnet.embedding.stream import decoded_batches
from apnet.types import ImageRecord

_ROUNDING = 1e-6
"""Differences of cosines below this are ties in float32."""

_BATCH = 16


@dataclass(frozen=True)
class Agreement:
    """How far two computations of the features of N images agree.

    Attributes:
        cosine: the smallest cosine, over the images, between the two features of an image.
        ranks: share of nearest-neighbour decisions that agree. With n(q) the nearest neighbour of
            image q under the reference, there is one decision for every q and every third image
            b: whether n(q) is at least as near to q as b is. N (N - 2) decisions; 1 where N < 3.
        orders: share of all order decisions that agree: for every q and every pair of other
            images, which of the two is nearer. It is reported but has no limit, as it counts pairs
            far down a ranking as much as those at its top. N (N - 1) (N - 2) / 2 decisions; 1 where
            N < 3.
        images: N.
    """

    cosine: float
    ranks: float
    orders: float
    images: int

    def __str__(self) -> str:
        return (
            f"smallest cosine {self.cosine:.5f}, rank agreement {self.ranks:.2%} on {self.images} "
            "of the images"
        )


@dataclass(frozen=True)
class Limits:
    """The least agreement at which a back-end is used."""

    cosine: float
    """Of ``Agreement.cosine``."""

    ranks: float
    """Of ``Agreement.ranks``."""

    def met(self, agreement: Agreement) -> bool:
        """Whether an agreement reaches the limits; NaN does not."""
        return agreement.cosine >= self.cosine and agreement.ranks >= self.ranks


STRICT = Limits(cosine=0.999, ranks=0.999)
"""For float32 and bf16, which are chosen without asking the user."""

ACCEPTED_LOSS = Limits(cosine=0.99, ranks=0.99)
"""For 8 bits, which are used only on request."""


def limits_of(precision: Arithmetic) -> Limits:
    """Returns the limits for an arithmetic."""
    return ACCEPTED_LOSS if precision == "int8" else STRICT


def agreement(reference: NDArray[np.floating], other: NDArray[np.floating]) -> Agreement:
    """Compares two computations of the same images' features.

    Args:
        reference: (N, D), N at least 1.
        other: (N, D).
    """
    first, second = _normalised(reference), _normalised(other)
    count = len(first)
    cosine = float((first * second).sum(axis=1).min())
    if count < 3:
        return Agreement(cosine, 1.0, 1.0, count)
    ranks = orders = 0.0
    for query in range(count):
        rivals = np.arange(count) != query
        was, now = first[rivals] @ first[query], second[rivals] @ second[query]
        nearest = int(was.argmax())
        ranks += (int((now[nearest] >= now - _ROUNDING).sum()) - 1) / (count - 2)
        orders += _same_order(was, now)
    return Agreement(cosine, ranks / count, orders / count, count)


def sample_images(
    records: Sequence[ImageRecord], size: tuple[int, int], count: int, *, threads: int = 1
) -> Tensor:
    """Returns images spread evenly over the records, (up to ``count``, 3, H, W), normalised.

    Unreadable images are left out. The same records give the same sample.

    Args:
        records: the images.
        size: H and W in pixels.
        count: how many to take.
        threads: threads that decode, 1 or more.
    """
    places = np.unique(np.linspace(0, len(records) - 1, min(count, len(records))).round())
    chosen = [records[int(place)] for place in places]
    pixels = [
        image
        for batch in decoded_batches(chosen, size, _BATCH, threads=threads, skip=True)
        for image in batch.pixels
    ]
    return normalise(torch.stack(pixels)) if pixels else torch.empty(0, 3, *size)


def features_of(backend: Backend, images: Tensor) -> NDArray[np.float32]:
    """Returns L2-normalised features of the images alone, without mirror images, (N, D)."""
    parts = [backend.embed(part, flip=False) for part in torch.split(images, _BATCH)]
    features: NDArray[np.float32] = torch.cat(parts).numpy()
    return features


def _normalised(features: NDArray[np.floating]) -> NDArray[np.float64]:
    wide = features.astype(np.float64)
    lengths: NDArray[np.float64] = np.linalg.norm(wide, axis=1, keepdims=True)
    return wide / np.maximum(lengths, 1e-12)


def _same_order(was: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Returns the share of pairs that both rows of cosines put in the same order."""
    before, after = was[:, None] - was, now[:, None] - now
    tied = (np.abs(before) < _ROUNDING) | (np.abs(after) < _ROUNDING)
    alike = tied | ((before > 0) == (after > 0))
    pairs = np.triu_indices(len(was), 1)
    return float(alike[pairs].mean())
