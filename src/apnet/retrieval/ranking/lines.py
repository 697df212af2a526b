"""One query's screened scores with their error bounds, and what can be told from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]

_GROUP = 16
"""Number of scores of which ``nearest`` takes the maximum first."""


@dataclass(frozen=True)
class Line:
    """One query's screened scores; the true score of a value v is within absolute + relative |v|.

    Attributes:
        values: (G,) float32.
        absolute: absolute error bound, >= 0.
        relative: relative error bound, from 0, below 0.5.
    """

    values: NDArray[np.float32]
    absolute: float
    relative: float

    def lowest(self, scores: Floats) -> Floats:
        """Returns limits: for values below one the true score is lower than that of ``scores``."""
        shifted = scores - self.absolute
        found: Floats = shifted - self.relative / (1 - self.relative) * np.abs(shifted)
        return found

    def highest(self, scores: Floats) -> Floats:
        """Returns limits: for values above one the true score is higher than that of ``scores``."""
        return -self.lowest(-scores)

    def reaching(self, score: float) -> Indices:
        """Returns the gallery indices whose true score may be ``score`` or higher, ascending."""
        return self._above(self.lowest(np.array(score)))

    def nearest(self, count: int) -> Indices:
        """Returns ascending gallery indices that include the ``count`` highest true scores."""
        groups = len(self.values) // _GROUP
        values = self.values
        if groups >= 4 * count:  # the maxima of groups: fewer values, and a limit that is no higher
            values = values[: groups * _GROUP].reshape(_GROUP, groups).max(axis=0)
        value = float(np.partition(values, len(values) - count)[len(values) - count])
        return self.reaching(value - self.absolute - self.relative * abs(value))

    def holds(self, columns: Indices, scores: Floats) -> bool:
        """Returns whether the error bound holds for these true scores."""
        values = self.values[columns]
        return bool(np.all(np.abs(values - scores) <= self.absolute + self.relative * abs(values)))

    def _above(self, limit: Floats) -> Indices:
        rounded = np.nextafter(np.float32(limit), np.float32(-np.inf))
        found: Indices = (self.values >= rounded).nonzero()[0]
        return found
