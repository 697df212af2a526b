"""The similarities, gallery sizes and numbers of images that rates are given at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

COUNT = 121
"""Similarities, T."""

SIZES = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 100_000)
"""People in a gallery."""

IMAGES = (1, 2, 4, 8)
"""Images per identity, of which the most similar counts."""


_SAMPLE = 1_000
_ALMOST_ALL = 0.001
_NARROWEST = 1e-5
_LENIENT = 1e-3
"""Share of a step that a similarity may be short of a threshold by, for rounding in float32."""


@dataclass(frozen=True)
class Grid:
    """Similarities from ``lowest`` to 1, evenly spaced."""

    lowest: float

    @property
    def step(self) -> float:
        """From one similarity to the next."""
        return (1 - self.lowest) / (COUNT - 1)

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """The similarities, (T,) ascending."""
        return np.linspace(self.lowest, 1, COUNT)

    def bins(self, similarities: NDArray[np.float32]) -> NDArray[np.int64]:
        """Returns for each similarity how many thresholds it reaches, 0 to T."""
        reached = np.floor((similarities.astype(np.float64) - self.lowest) / self.step + _LENIENT)
        numbers: NDArray[np.int64] = np.clip(
            np.nan_to_num(reached, neginf=-1.0) + 1, 0, COUNT
        ).astype(np.int64)
        return numbers


def grid_of(features: NDArray[np.float32]) -> Grid:
    """Returns the grid that holds almost all similarities of features of length 1, (N, D)."""
    sample = features[:: -(-len(features) // _SAMPLE)]
    lowest = float(np.quantile(sample @ sample.T, _ALMOST_ALL))
    span = min(max(1 - lowest, _NARROWEST), 2.0)
    return Grid(1 - float(f"{span:.3g}"))


def reaching(histogram: NDArray[Any]) -> NDArray[Any]:
    """Returns from counts per bin (..., T + 1) the counts that reach each threshold (..., T)."""
    reach: NDArray[Any] = np.cumsum(histogram[..., ::-1], axis=-1)[..., ::-1][..., 1:]
    return reach
