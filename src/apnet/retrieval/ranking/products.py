"""What a coarse matrix product offers to screening: scores of blocks of queries, and bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from apnet.results import Distance
from apnet.retrieval.ranking.lines import Floats, Indices


@dataclass(frozen=True)
class Sides:
    """What is multiplied: queries, and gallery vectors divided by their lengths for the cosine.

    Attributes:
        query: (Q, D) float32; norms are 0 or from 1e-12 to 1e12.
        gallery: (G, D), likewise, as they are.
        squares: (G,) squared lengths of the gallery vectors.
        distance: ``cosine`` (scores a.b / |b|) or ``euclidean`` (scores a.b - |b|^2 / 2).
    """

    query: NDArray[np.float32]
    gallery: NDArray[np.float32]
    squares: Floats
    distance: Distance

    @property
    def longest(self) -> float:
        """The largest length of a gallery vector as it is multiplied."""
        if self.distance == "cosine":
            return 1.0
        return float(np.sqrt(self.squares.max(initial=0.0)))

    def scales(self) -> NDArray[np.float32]:
        """Returns what the gallery vectors are multiplied with, (G, 1)."""
        if self.distance == "euclidean":
            return np.ones((len(self.gallery), 1), np.float32)
        lengths = np.sqrt(self.squares)
        scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        return scale.astype(np.float32)[:, None]

    def some(self, count: int) -> Sides:
        """Returns the same queries with up to ``count`` gallery vectors, spread evenly."""
        places = np.unique(np.linspace(0, len(self.gallery) - 1, count).astype(np.int64))
        return Sides(self.query, self.gallery[places], self.squares[places], self.distance)


class Block(Protocol):
    """The products a.b of B queries with the gallery."""

    @property
    def absolute(self) -> list[float]:
        """Bounds (B,) on the absolute error."""

    @property
    def relative(self) -> float:
        """Bound on the error relative to a product, in addition."""

    def row(self, place: int) -> NDArray[np.float32]:
        """Returns one query's products (G,), which the caller may change."""


class Product(Protocol):
    """A matrix product that is faster than float32, with known errors."""

    @property
    def score_bytes(self) -> int:
        """Memory of one score of a block."""

    def block(self, rows: Indices) -> Block:
        """Multiplies B queries with the whole gallery."""
