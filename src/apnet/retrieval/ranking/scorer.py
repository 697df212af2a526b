"""What ranking needs to know of a query and a gallery: the protocol that every scorer follows."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from apnet.retrieval.ranking.screening import Screener

Features = NDArray[np.floating]
Keys = NDArray[np.float64]
Indices = NDArray[np.int64]


class Scorer(Protocol):
    """Scores pairs of a query and a gallery image; higher means nearer.

    There are two numbers per pair. A *screened score* is fast: it is computed for a block of
    queries at once, and its last bits depend on the machine. A *key* is exact: it is computed for
    one pair at a time, with the same bits on every machine. For one query both order the gallery
    alike, except where two screened scores lie within the rounding error.

    ``Comparison`` (``ranking.comparison``) scores by features, ``RerankedComparison``
    (``reranking.comparison``) by the re-ranked distance.
    """

    @property
    def queries(self) -> int:
        """Number of queries Q."""

    @property
    def images(self) -> int:
        """Number of gallery images G."""

    @property
    def screener(self) -> Screener | None:
        """Screens blocks of queries coarsely before ``screen``; ``None``: not used."""

    @property
    def row_bytes(self) -> int:
        """Memory of one query's screened scores in bytes."""

    @property
    def feature_bytes(self) -> int:
        """Memory of all features in bytes."""

    def screen(self, rows: Indices) -> Features:
        """Returns the screened scores (B, G) of B queries; the caller may change the array."""

    def slack(self, rows: Indices, columns: Indices, scores: Features) -> Keys:
        """Returns the largest error of each query's screened scores.

        Args:
            rows: (B,) queries, as given to the last call of ``screen`` on this thread.
            columns: (B,) a gallery image near each query, whose error is measured.
            scores: (B, G) the screened scores.

        Returns:
            (B,) bounds on the absolute error; scores at least twice this apart are in order.
        """

    def keys(self, rows: Indices, columns: Indices) -> Keys:
        """Returns the keys (n,) of n pairs of a query and a gallery image."""

    def refined(self, row: int, columns: Indices) -> tuple[Keys, float]:
        """Returns more accurate scores (n,) of one query's pairs, and a bound on their error."""

    def similarity(self, row: int, keys: Keys) -> Keys:
        """Returns the values (n,) that users see for keys of one query."""
