"""The nearest gallery images of every query, for ranked lists."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.display import summarised
from apnet.errors import ConfigError
from apnet.results import Distance, JunkRule
from apnet.retrieval.ranking.blocks import default_threads, over_blocks, rows_in_block
from apnet.retrieval.ranking.comparison import Comparison
from apnet.retrieval.ranking.lines import Line
from apnet.retrieval.ranking.relevance import Relevance
from apnet.retrieval.ranking.scorer import Features, Indices, Keys
from apnet.retrieval.ranking.screening import Screener
from apnet.types import Embeddings

_MOST_OPEN = 8
"""A query is ranked in float32 where more than 1/8 of the gallery must be computed again."""


@summarised
@dataclass(frozen=True, repr=False)
class Matches:
    """The k nearest gallery images of Q queries, nearest first, ties in gallery order.

    Attributes:
        indices: (Q, k) int64 gallery indices, -1 after the last image that counts.
        similarity: (Q, k) float64, descending: the cosine, or minus the Euclidean distance; NaN
            after the last image that counts.
        correct: (Q, k) whether the image has the query's pid.
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
    device: str = "auto",
) -> Matches:
    """Returns the k nearest gallery images that are not ignored, in the order of ``evaluate``.

    Args:
        query: Q queries.
        gallery: the gallery.
        k: images per query; there may be fewer.
        distance: ``cosine`` or ``euclidean``.
        junk_rule: which images are ignored, as in ``evaluate``.
        device: how to screen, as in ``evaluate``.

    Raises:
        ConfigError: k is below 1, or the device is not available.
        DataError: the dimensions differ.
    """
    if k < 1:
        raise ConfigError(f"the number of matches must be at least 1, got {k}")
    threads = default_threads()
    comparison = Comparison(query.features, gallery.features, distance, device)
    relevance = Relevance(query, gallery, junk_rule)
    size = rows_in_block(comparison.row_bytes, comparison.feature_bytes, threads)
    indices = np.full((len(query), k), -1, dtype=np.int64)
    similarity = np.full((len(query), k), np.nan)

    def work(rows: Indices) -> None:
        if not len(gallery):
            return
        for row, columns, keys in _found(comparison, relevance, rows, k):
            indices[row, : len(columns)] = columns
            similarity[row, : len(columns)] = comparison.similarity(row, keys)

    for _ in over_blocks(work, len(query), size, threads):
        pass
    return Matches(indices, similarity, _correct(query, gallery, indices))


def _found(
    comparison: Comparison, relevance: Relevance, rows: Indices, k: int
) -> Iterator[tuple[int, Indices, Keys]]:
    """Yields each query with its nearest images and their keys; queries in any order."""
    left, screener = rows, comparison.screener
    if screener is not None and screener.useful:
        left = yield from _screened((comparison, screener), relevance, rows, k)
    step = len(rows)
    if screener is not None:
        step = max(1, step * screener.product.score_bytes // 4)  # a float32 score takes 4
    for start in range(0, len(left), step):
        block = left[start : start + step]
        lines, margins = _in_float32(comparison, relevance, block)
        for row, line, margin in zip(block.tolist(), lines, margins, strict=True):
            yield row, *_nearest(comparison, row, line, margin, k)


def _screened(
    compared: tuple[Comparison, Screener], relevance: Relevance, rows: Indices, k: int
) -> Generator[tuple[int, Indices, Keys], None, Indices]:
    """Yields the queries that the screener decides; returns the others."""
    comparison, screener = compared
    lines = screener.lines(rows)
    left = []
    for place, row in enumerate(rows.tolist()):
        line = lines[place]
        line.values[relevance.junk] = -np.inf
        line.values[relevance.of(row)[1]] = -np.inf
        found = _nearest_of_line(comparison, row, line, k)
        if found is None:
            left.append(row)
        else:
            yield row, *found
    screener.count(len(rows) - len(left), len(left))
    return np.array(left, dtype=np.int64)


def _nearest_of_line(
    comparison: Comparison, row: int, line: Line, k: int
) -> tuple[Indices, Keys] | None:
    wanted = min(k, int(np.count_nonzero(line.values > -np.inf)))
    if not wanted:
        return np.empty(0, np.int64), np.empty(0)
    columns = line.nearest(wanted)
    if _MOST_OPEN * len(columns) > len(line.values):
        return None
    scores, error = comparison.refined(row, columns)
    if not line.holds(columns, scores):
        return None
    reached = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
    return _in_order(comparison, row, columns[scores >= reached - 2 * error], wanted)


def _in_float32(
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
    return _in_order(comparison, row, np.flatnonzero(line >= reached - margin), wanted)


def _in_order(
    comparison: Comparison, row: int, columns: Indices, wanted: int
) -> tuple[Indices, Keys]:
    keys = comparison.keys(np.full(len(columns), row), columns)
    order = np.argsort(-keys, kind="stable")[:wanted]
    return columns[order], keys[order]


def _correct(query: Embeddings, gallery: Embeddings, indices: Indices) -> NDArray[np.bool_]:
    if not len(gallery):
        return np.zeros(indices.shape, dtype=bool)
    same: NDArray[np.bool_] = gallery.pids[indices] == query.pids[:, None]  # (Q, k)
    return same & (indices >= 0)
