"""The nearest gallery images of every query, for rank lists and galleries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.errors import ConfigError
from apnet.results import Distance, JunkRule
from apnet.retrieval.blocks import default_threads, over_blocks, rows_in_block
from apnet.retrieval.comparison import Comparison, Features, Indices, Keys
from apnet.retrieval.relevance import Relevance
from apnet.types import Embeddings


@dataclass(frozen=True)
class Matches:
    """The first k gallery images of Q queries, nearest first, ties in gallery order.

    Attributes:
        indices: (Q, k) int64 gallery indices, -1 where nothing is left.
        similarity: (Q, k) float64, falling: the cosine, or minus the Euclidean distance; NaN where
            nothing is left.
        correct: (Q, k) whether the image shows the query's person.
    """

    indices: NDArray[np.int64]
    similarity: NDArray[np.float64]
    correct: NDArray[np.bool_]


def top_matches(
    query: Embeddings,
    gallery: Embeddings,
    k: int,
    *,
    distance: Distance = "cosine",
    junk_rule: JunkRule,
) -> Matches:
    """Returns the k nearest gallery images that count, in the order that ``evaluate`` ranks by.

    Args:
        query: Q searches.
        gallery: what is searched.
        k: images a query; fewer may be left.
        distance: ``cosine`` or ``euclidean``.
        junk_rule: what is left out, as in ``evaluate``.

    Raises:
        ConfigError: k is below 1.
        DataError: the dimensions differ.
    """
    if k < 1:
        raise ConfigError(f"the number of matches must be at least 1, got {k}")
    threads = default_threads()
    comparison = Comparison(query.features, gallery.features, distance)
    relevance = Relevance(query, gallery, junk_rule)
    size = rows_in_block(comparison.row_bytes, comparison.feature_bytes, threads)
    indices = np.full((len(query), k), -1, dtype=np.int64)
    similarity = np.full((len(query), k), np.nan)

    def work(rows: Indices) -> None:
        if not len(gallery):
            return
        lines, margins = _screened(comparison, relevance, rows)
        for row, line, margin in zip(rows.tolist(), lines, margins, strict=True):
            columns, keys = _nearest(comparison, row, line, margin, k)
            indices[row, : len(columns)] = columns
            similarity[row, : len(columns)] = comparison.similarity(row, keys)

    for _ in over_blocks(work, len(query), size, threads):
        pass
    return Matches(indices, similarity, _correct(query, gallery, indices))


def _screened(
    comparison: Comparison, relevance: Relevance, rows: Indices
) -> tuple[Features, Features]:
    scores = comparison.screen(rows)
    margins = 2 * comparison.slack(rows, scores.argmax(axis=1), scores)
    scores[:, relevance.junk] = -np.inf
    for row, line in zip(rows.tolist(), scores, strict=True):
        line[relevance.of(row)[1]] = -np.inf
    return scores, margins.astype(scores.dtype)


def _nearest(
    comparison: Comparison, row: int, line: Features, margin: np.floating, k: int
) -> tuple[Indices, Keys]:
    wanted = min(k, int(np.count_nonzero(line > -np.inf)))
    if not wanted:
        return np.empty(0, np.int64), np.empty(0)
    last = len(line) - wanted
    reached = np.partition(line, last)[last]  # the k-th highest screened score
    columns = np.flatnonzero(line >= reached - margin)
    keys = comparison.keys(np.full(len(columns), row), columns)
    order = np.argsort(-keys, kind="stable")[:wanted]
    return columns[order], keys[order]


def _correct(query: Embeddings, gallery: Embeddings, indices: Indices) -> NDArray[np.bool_]:
    if not len(gallery):
        return np.zeros(indices.shape, dtype=bool)
    same: NDArray[np.bool_] = gallery.pids[indices] == query.pids[:, None]  # (Q, k)
    return same & (indices >= 0)
