"""Scores by the re-ranked distance, for the same exact ranking as by features."""

from __future__ import annotations

import numpy as np

from apnet.progress import Progress
from apnet.results import Distance
from apnet.retrieval.ranking.checks import check_dimensions
from apnet.retrieval.ranking.comparison import Comparison
from apnet.retrieval.ranking.scorer import Features, Indices, Keys
from apnet.retrieval.reranking.encoding import encode, scaled
from apnet.retrieval.reranking.neighbours import JointSet, neighbours
from apnet.retrieval.reranking.settings import Reranking

_ROUNDING = 1e-14
"""Bound on the float64 rounding errors of a re-ranked distance, which is at most 1."""


class RerankedComparison:
    """Scores pairs by minus the re-ranked distance; a ``Scorer``.

    It holds a ``Comparison`` of the same sets for the original distance.

    Args:
        features: of Q queries and of G gallery images, as for ``Comparison``; copied once.
        distance: ``cosine`` or ``euclidean``.
        settings: of the re-ranking.
        threads: blocks processed at once, during construction.
        progress: called with (images done, N), during construction.

    Raises:
        DataError: the dimensions differ, or a norm is outside 1e-70 to 1e70.
    """

    def __init__(
        self,
        features: tuple[Features, Features],
        distance: Distance,
        settings: Reranking,
        threads: int,
        progress: Progress,
    ) -> None:
        check_dimensions(*features)
        queries = len(features[0])
        joint = JointSet(np.concatenate(features), distance)
        everything = joint.comparison.query
        plain = Comparison(everything[:queries], everything[queries:], distance, "numpy")
        found = neighbours(joint, max(settings.k1 + 1, settings.k2), threads, progress)
        joint.release_screener()
        vectors = encode(joint, found, settings.k1, settings.k2)
        self.queries, self.images = plain.queries, plain.images
        self.feature_bytes = plain.feature_bytes
        self.row_bytes = plain.row_bytes + 2 * plain.images * np.dtype(np.float64).itemsize
        self.screener = None
        self._joint = joint
        self._plain = plain
        self._settings = settings
        self._farthest = found.farthest[:queries]
        self._vectors = vectors.rows(slice(0, queries))
        self._inverted = vectors.rows(slice(queries, None)).transposed(len(joint))
        self._level, self._slope = self._of_scores(distance)
        self._bounds = np.zeros(queries)

    def screen(self, rows: Indices) -> Features:
        """Returns the screened scores (B, G) of B queries, float64."""
        scores = self._jaccard(rows)
        scores *= self._settings.weight - 1
        if not scores.size:
            return scores
        near = self._plain.screen(rows)
        bounds = self._slope[rows] * self._plain.slack(rows, near.argmax(axis=1), near)
        self._bounds[rows] = bounds + _ROUNDING * (1 + self._level[rows])
        scores -= self._level[rows, None]
        scores += near * self._slope[rows, None]
        return scores

    def slack(self, rows: Indices, columns: Indices, scores: Features) -> Keys:
        """Returns bounds (B,) on the error of each query's screened scores (``Scorer.slack``).

        They were measured when ``rows`` were screened; ``columns`` and ``scores`` are not used.
        """
        bounds: Keys = self._bounds[rows]
        return bounds

    def keys(self, rows: Indices, columns: Indices) -> Keys:
        """Returns the exact keys (n,) of n pairs of a query and a gallery image."""
        share = self._settings.weight
        squared = self._joint.distances(rows, columns + self.queries)
        keys: Keys = -share * scaled(squared, self._farthest[rows])
        for row in np.unique(rows).tolist():
            pairs = np.flatnonzero(rows == row)
            keys[pairs] -= (1 - share) * self._jaccard(np.array([row]))[0, columns[pairs]]
        return keys

    def refined(self, row: int, columns: Indices) -> tuple[Keys, float]:
        """Returns the keys (n,) of one query's pairs, and a bound on their error."""
        return self.keys(np.full(len(columns), row), columns), _ROUNDING

    def similarity(self, row: int, keys: Keys) -> Keys:
        """Returns minus the re-ranked distance for keys of one query: the keys."""
        return keys

    def _jaccard(self, rows: Indices) -> Keys:
        """Returns the Jaccard distances (B, G) of B queries; each row's bits are those of B = 1.

        For every entry of a query's vector, an inverted index lists the gallery images that have an
        entry in the same column; the smaller of the two weights is added for each.
        """
        count = self.images
        of_row, entries = self._vectors.entries_of(rows)
        of_entry, places = self._inverted.entries_of(
            self._vectors.columns[entries].astype(np.int64)
        )
        smaller = np.minimum(self._vectors.values[entries][of_entry], self._inverted.values[places])
        pairs = of_row[of_entry] * count + self._inverted.columns[places]
        shared = np.bincount(pairs, smaller, minlength=len(rows) * count)
        distances: Keys = shared.reshape(len(rows), count).astype(np.float64, copy=False)
        np.divide(distances, 2 - distances, out=distances)
        np.subtract(1, distances, out=distances)
        return distances

    def _of_scores(self, distance: Distance) -> tuple[Keys, Keys]:
        """Returns level and slope (Q,): lambda times distance d is level - slope * score."""
        share = scaled(np.full(self.queries, self._settings.weight), self._farthest)
        if distance == "euclidean":
            return share * self._plain.query_squares, 2 * share
        return 2 * share, 2 * scaled(share, self._plain.query_norms)
