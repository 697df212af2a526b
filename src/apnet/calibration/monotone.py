"""The likelihood ratio as a function of similarity that never falls (isotonic regression)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_likelihood_ratios(same: Floats, other: Floats) -> Floats:
    """Returns the natural logarithm of P(similarity | same) / P(similarity | other) per bin.

    The share of same-person pairs among all, each kind weighted to one half, is fitted by
    isotonic regression; half a pair of each kind is added to every fitted part, so that no ratio is
    infinite.

    Args:
        same: (T,) same-person pairs per bin of similarity, ascending.
        other: (T,) pairs of two people.
    """
    total_same, total_other = max(same.sum(), 1.0), max(other.sum(), 1.0)
    blocks: list[list[float]] = []  # pairs of the same, of others, bins
    for mine, theirs in zip(same.tolist(), other.tolist(), strict=True):
        blocks.append([mine, theirs, 1])
        while len(blocks) > 1 and _odds(blocks[-2], total_same, total_other) >= _odds(
            blocks[-1], total_same, total_other
        ):
            last = blocks.pop()
            blocks[-1] = [one + two for one, two in zip(blocks[-1], last, strict=True)]
    fitted = [
        np.full(int(count), np.log((mine + 0.5) / total_same / ((theirs + 0.5) / total_other)))
        for mine, theirs, count in blocks
    ]
    # the half pairs can turn neighbours around
    ratios: Floats = np.maximum.accumulate(np.concatenate(fitted))
    return ratios


def _odds(block: list[float], total_same: float, total_other: float) -> float:
    same, other = block[0] / total_same, block[1] / total_other
    return same / (same + other) if same + other else 0.0
