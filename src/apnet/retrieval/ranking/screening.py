"""Screening: a coarse matrix product that decides nearly all comparisons of a query.

A product in bf16 (``bf16``) or 8-bit integers (``int8``) is faster than one in float32 and comes
with a bound on its error. It decides nearly all comparisons between a match and another image; the
others are repeated with refined scores (``candidates``). For the cosine the gallery vectors are
first divided by their lengths. For every query the errors of some scores are compared with the
bound, so that a library that violates it is detected.
"""

from __future__ import annotations

import numpy as np

from apnet.retrieval.ranking.lines import Floats, Indices, Line
from apnet.retrieval.ranking.products import Block, Product, Sides

_FLOAT32 = 2.0**-24


class Screener:
    """Computes scores of blocks of queries by a coarse product.

    Args:
        sides: what is compared.
        product: of the same sides.
    """

    def __init__(self, sides: Sides, product: Product) -> None:
        self.product = product
        self._distance = sides.distance
        self._offset = (sides.squares / 2).astype(np.float32)
        self._small = 8 * _FLOAT32 * sides.longest**2 / 2 if self._distance == "euclidean" else 0.0
        self._decided = self._undecided = 0

    @property
    def row_bytes(self) -> int:
        """Memory of one query's screened scores in bytes."""
        return len(self._offset) * self.product.score_bytes

    @property
    def useful(self) -> bool:
        """Whether it has decided at least three in four queries; otherwise float32 is faster."""
        return 3 * self._undecided <= self._decided

    def count(self, decided: int, undecided: int) -> None:
        """Counts the queries of a block that screening has decided and not decided."""
        self._decided += decided
        self._undecided += undecided

    def lines(self, rows: Indices) -> Lines:
        """Returns the screened scores of B queries; each line is made when it is asked for."""
        return Lines(self, self.product.block(rows))

    def line(self, block: Block, place: int) -> Line:
        """Returns one query's line from its block of products."""
        values, absolute = block.row(place), block.absolute[place] + self._small
        if self._distance == "cosine":
            return Line(values, absolute, block.relative)
        peak = float(max(values.max(initial=0.0), -values.min(initial=0.0)))
        return Line(values - self._offset, absolute + block.relative * peak, 0.0)


class Lines:
    """The lines of a block of queries, by position in the block."""

    def __init__(self, screener: Screener, block: Block) -> None:
        self._screener = screener
        self._block = block

    def __getitem__(self, place: int) -> Line:
        return self._screener.line(self._block, place)


def undecided(line: Line, values: Floats, reached: Floats, error: float) -> np.ndarray:
    """Returns which of the values (n,) may lie on either side of a score ``reached`` (m,).

    Args:
        line: that the values are from.
        values: screened scores.
        reached: refined scores of matches.
        error: of the latter.
    """
    ordered = np.sort(reached)
    begun = line.lowest(ordered - error).searchsorted(values, side="right")
    ended = line.highest(ordered + error).searchsorted(values, side="left")
    inside: np.ndarray = begun > ended
    return inside
