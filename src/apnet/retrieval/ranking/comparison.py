"""Scores by features: approximate ones for blocks of queries, exact ones for single pairs.

A *screened score* comes from one matrix product in the features' precision; its last bits depend on
the block size, the library and the processor. A *key* is computed in float64 for one pair at a
time, always by the same additions in the same order, so that equal vectors have equal keys on every
machine. Both increase with similarity, and for one query they order the gallery alike:

* cosine: the score is a.b / |b|, the key (a.b)|a.b| / |b|^2 (its signed square: a quotient of
  integers where the features are integers, hence exact ties there). A zero vector has cosine 0
  with everything.
* euclidean: the score is a.b - |b|^2 / 2, the key -|a - b|^2.

Error of screened scores: the rounding errors of a product over D terms behave like a random walk.
In units of u |a| |b| (u the unit roundoff) we measured at most 13 for D from 16 to 8,192 on normal,
rectified, sorted, cancelling, nearly collinear and nearly constant vectors, and less than 2 on the
first two kinds at D = 2,048. Every block therefore measures the error of a sample of its pairs (one
per query, and 64 spread over the block). ``slack`` allows eight times the largest error, clipped to
3 to ``sqrt(D) / 4 + 12`` units, and at least four times the largest, for vectors whose rounding
errors all have one sign, such as constant ones. The bound is statistical, not proven
(docs/decisions/0031).
"""

from __future__ import annotations

import threading

import numpy as np

from apnet.results import Distance
from apnet.retrieval.ranking.checks import check_dimensions, square_norms, working_precision
from apnet.retrieval.ranking.products import Sides
from apnet.retrieval.ranking.scorer import Features, Indices, Keys
from apnet.retrieval.ranking.screen_choice import Matches, choose_screener
from apnet.retrieval.ranking.screening import Screener

_PAIR_BYTES = 1 << 20
"""Float64 working memory of one step of ``keys`` in bytes; it fits into the processor's cache."""

_SEGMENT = 128
"""Maximum number of terms that ``refined`` sums in the features' precision."""

_COPIED = 64
"""Gallery vectors that ``refined`` copies at once; they fit into the processor's cache."""

_SAMPLE = 64
"""Pairs per block whose error is measured, in addition to one per query."""


class Comparison:
    """Scores pairs of rows of two feature arrays; a ``Scorer``.

    Args:
        query: (Q, D) float32 or float64, finite.
        gallery: (G, D), likewise. The arrays are converted, and thereby copied, if their precisions
            differ, if they are not contiguous, or if norms are outside 1e-12 to 1e12.
        distance: ``cosine`` or ``euclidean``.
        device: how to screen: ``auto``, ``numpy`` (not), ``int8``, or a torch device in bf16
            (``screen_choice``). Float64 features are not screened.
        matches: from a query to its matches, with which ``auto`` tries what screening decides.

    Raises:
        DataError: the dimensions differ, or a norm is outside 1e-70 to 1e70.
        ConfigError: the device is not available.
    """

    def __init__(
        self,
        query: Features,
        gallery: Features,
        distance: Distance,
        device: str = "auto",
        matches: Matches | None = None,
    ) -> None:
        check_dimensions(query, gallery)
        query_squares, gallery_squares = square_norms(query), square_norms(gallery)
        norms = np.sqrt(np.concatenate([query_squares, gallery_squares]))
        dtype = working_precision(np.result_type(query, gallery), norms)
        self.distance: Distance = distance
        self.query = np.ascontiguousarray(query, dtype=dtype)
        self.gallery = np.ascontiguousarray(gallery, dtype=dtype)
        self._threads = threading.local()
        self.query_squares = query_squares
        self._gallery_squares = gallery_squares
        self.query_norms = norms[: len(query)]
        self._widest = float(norms[len(query) :].max(initial=0.0))
        self._offset = _per_column(gallery_squares, distance).astype(dtype)
        self._terms = _segment(query.shape[1])
        self.screener: Screener | None = None
        if dtype == np.float32:
            sides = Sides(self.query, self.gallery, gallery_squares, distance)
            self.screener = choose_screener(device, sides, self, matches)

    @property
    def queries(self) -> int:
        """Number of queries Q."""
        return len(self.query)

    @property
    def images(self) -> int:
        """Number of gallery images G."""
        return len(self.gallery)

    @property
    def row_bytes(self) -> int:
        """Memory of one query's screened scores in bytes, coarse or in the features' precision."""
        if self.screener is not None:
            return self.screener.row_bytes
        return len(self.gallery) * self.gallery.itemsize

    @property
    def feature_bytes(self) -> int:
        """Memory of the features of both sets in bytes."""
        return self.query.nbytes + self.gallery.nbytes

    def screen(self, rows: Indices) -> Features:
        """Returns the screened scores (B, G) of B queries, in the features' precision."""
        scores = self._score_buffer(len(rows))
        np.matmul(self.query[rows], self.gallery.T, out=scores)  # (B, D) @ (D, G) -> (B, G)
        if self.distance == "cosine":
            scores *= self._offset
        else:
            scores -= self._offset
        return scores

    def slack(self, rows: Indices, columns: Indices, scores: Features) -> Keys:
        """Returns bounds (B,) on the error of each query's screened scores (``Scorer.slack``).

        Args:
            rows: (B,) queries.
            columns: (B,) a gallery image near each query, whose error is measured.
            scores: (B, G) the screened scores.
        """
        spread = np.arange(_SAMPLE)
        places = np.concatenate([np.arange(len(rows)), spread % len(rows)])
        sampled = np.concatenate([columns, spread * len(self.gallery) // _SAMPLE])
        exact = self._scores_of(rows[places], self.keys(rows[places], sampled))
        error = np.abs(scores[places, sampled] - exact)
        unit = self._unit(rows)
        relative = np.divide(error, unit[places], out=np.zeros_like(error), where=unit[places] > 0)
        largest = relative.max()
        usual = np.clip(8 * largest, 3, np.sqrt(self.query.shape[1]) / 4 + 12)
        bound: Keys = unit * max(usual, 4 * largest)
        return bound

    def keys(self, rows: Indices, columns: Indices) -> Keys:
        """Returns the keys (n,) of n pairs of a query and a gallery image."""
        keys = np.empty(len(rows))
        step = max(1, _PAIR_BYTES // (8 * max(1, self.query.shape[1])))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            pairs = self.query[rows[part]].astype(np.float64)  # (n, D)
            if self.distance == "cosine":
                pairs *= self.gallery[columns[part]]
                keys[part] = _signed_square(pairs.sum(axis=1))
            else:
                pairs -= self.gallery[columns[part]]
                pairs *= pairs
                keys[part] = -pairs.sum(axis=1)
        if self.distance == "cosine":
            squares = self._gallery_squares[columns]
            np.divide(keys, squares, out=keys, where=squares > 0)
        return keys

    def refined(self, row: int, columns: Indices) -> tuple[Keys, float]:
        """Returns the scores (n,) of one query's pairs, and a proven bound on their error.

        Products are summed in segments: within a segment in the features' precision and in any
        order, over the segments in float64. The bound includes 1e-14 for the rounding of float64,
        also of ``keys``.
        """
        scores = self._products(row, columns)
        squares = self._gallery_squares[columns]
        if self.distance == "cosine":
            np.divide(scores, np.sqrt(squares), out=scores, where=squares > 0)
        else:
            scores -= squares / 2
        return scores, self._refined_error(float(self.query_norms[row]))

    def similarity(self, row: int, keys: Keys) -> Keys:
        """Returns the cosine, or minus the Euclidean distance, for keys of one query."""
        if self.distance == "euclidean":
            return 0.0 - np.sqrt(-keys)
        cosines: Keys = _signed_root(keys) / (self.query_norms[row] or 1.0)
        return np.clip(cosines, -1.0, 1.0)

    def _score_buffer(self, rows: int) -> Features:
        buffer: Features | None = getattr(self._threads, "scores", None)
        if buffer is None or len(buffer) < rows:
            buffer = np.empty((rows, len(self.gallery)), self.gallery.dtype)
            self._threads.scores = buffer
        return buffer[:rows]

    def _products(self, row: int, columns: Indices) -> Keys:
        terms, dim = self._terms, self.query.shape[1]
        vector = self.query[row].reshape(dim // terms, terms, 1)
        sums = np.empty((dim // terms, len(columns), 1), self.query.dtype)
        pairs = self._pair_buffer()
        for start in range(0, len(columns), len(pairs)):
            part = columns[start : start + len(pairs)]
            copied = pairs[: len(part)]
            np.take(self.gallery, part, axis=0, out=copied, mode="clip")  # "raise" would copy twice
            segments = copied.reshape(len(part), dim // terms, terms).transpose(1, 0, 2)
            np.matmul(segments, vector, out=sums[:, start : start + len(part)])
        products: Keys = sums[:, :, 0].sum(axis=0, dtype=np.float64)
        return products

    def _refined_error(self, norm: float) -> float:
        sums = 1.1 * self._terms * float(np.finfo(self.query.dtype).eps) / 2
        if self.distance == "cosine":
            return (sums + 1e-14) * norm
        wide = norm + self._widest
        return sums * norm * self._widest + 1e-14 * wide * wide

    def _pair_buffer(self) -> Features:
        buffer: Features | None = getattr(self._threads, "pairs", None)
        if buffer is None:
            buffer = np.empty((_COPIED, self.query.shape[1]), self.gallery.dtype)
            self._threads.pairs = buffer
        return buffer

    def _scores_of(self, rows: Indices, keys: Keys) -> Keys:
        if self.distance == "cosine":
            return _signed_root(keys)
        return (self.query_squares[rows] + keys) / 2

    def _unit(self, rows: Indices) -> Keys:
        """Returns the unit (B,) in which errors of screened scores are measured."""
        roundoff = float(np.finfo(self.query.dtype).eps) / 2
        norms = self.query_norms[rows]
        reach = 1.0 if self.distance == "cosine" else self._widest
        offset = 0.0 if self.distance == "cosine" else self._widest / 4
        unit: Keys = roundoff * reach * (norms + offset)
        return unit


def _per_column(squares: Keys, distance: Distance) -> Keys:
    """Returns what products with a gallery vector are multiplied with, or reduced by, (G,)."""
    if distance == "euclidean":
        return squares / 2
    return np.divide(1.0, np.sqrt(squares), out=np.zeros_like(squares), where=squares > 0)


def _segment(dim: int) -> int:
    """Returns the segment length of ``refined``: a divisor of ``dim``."""
    largest = max(terms for terms in range(1, min(_SEGMENT, dim) + 1) if dim % terms == 0)
    return largest if largest > _SEGMENT // 8 else dim


def _signed_square(values: Keys) -> Keys:
    squares: Keys = values * np.abs(values)
    return squares


def _signed_root(values: Keys) -> Keys:
    roots: Keys = np.copysign(np.sqrt(np.abs(values)), values)
    return roots
