"""The gallery images that may precede a match, found by a coarse product or by float32."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.retrieval.ranking.lines import Line
from apnet.retrieval.ranking.scorer import Features, Indices, Scorer
from apnet.retrieval.ranking.screening import Screener, undecided

Mask = NDArray[np.bool_]
Truth = Mapping[int, tuple[Indices, Indices]]
"""By query: its matches, and the images ignored in addition to the junk; ascending indices."""

_REACHING = 2
"""A query is ranked in float32 where more than 1/2 of the gallery reaches its last match."""

_HARD = 32
"""A query is hard where more than 1/32 of the gallery must be computed again: that costs as much as
its share of a float32 product."""

_FEW = 32
"""Up to this many hard queries per block are settled one by one, as a product of few rows is slow.
Where more than a quarter of the first 32 queries are hard, the whole rest is ranked in float32."""


@dataclass(frozen=True)
class Candidates:
    """One query's matches, and the other images that may precede one of them.

    Attributes:
        row: the query.
        matches: (m,) gallery indices, ascending.
        reached: (m,) their scores.
        columns: (n,) gallery indices of the other images, ascending; ``None``: the whole gallery.
        values: (n,) their scores; images that are ignored have -inf or are not listed.
        margin: scores further apart than this are certainly in order.
    """

    row: int
    matches: Indices
    reached: Features
    columns: Indices | None
    values: Features
    margin: np.floating


def candidates(scorer: Scorer, truth: Truth, junk: Indices, rows: Indices) -> Iterator[Candidates]:
    """Yields the candidates of queries that each have a match, in any order.

    Args:
        scorer: of the queries with the gallery.
        truth: matches and ignored images, by query.
        junk: gallery images that are ignored for all queries.
        rows: (B,) the queries.
    """
    left, step = rows, len(rows)
    if scorer.screener is not None:
        step = max(1, step * scorer.screener.product.score_bytes // 4)  # a float32 score takes 4
        if scorer.screener.useful:
            left = yield from _screened(scorer, scorer.screener, (truth, junk), rows)
    for start in range(0, len(left), step):
        yield from _in_float32(scorer, truth, junk, left[start : start + step])


def _in_float32(scorer: Scorer, truth: Truth, junk: Indices, rows: Indices) -> Iterator[Candidates]:
    scores = scorer.screen(rows)
    firsts = np.array([truth[row][0][0] for row in rows.tolist()], dtype=np.int64)
    margins = (2 * scorer.slack(rows, firsts, scores)).astype(scores.dtype)
    scores[:, junk] = -np.inf
    for row, line, margin in zip(rows.tolist(), scores, margins, strict=True):
        matches, out = truth[row]
        reached = line[matches]
        line[matches] = -np.inf
        line[out] = -np.inf
        reaching = line >= (reached - margin).min()
        if 8 * np.count_nonzero(reaching) > len(line):  # sorting all is faster than indexing
            yield Candidates(row, matches, reached, None, line, margin)
        else:
            columns = reaching.nonzero()[0]
            yield Candidates(row, matches, reached, columns, line[columns], margin)


@dataclass(frozen=True)
class _Sketch:
    """Candidates whose values at ``open`` are not accurate enough yet."""

    candidates: Candidates
    open: Indices

    def settle(self, scorer: Scorer) -> Candidates:
        """Computes these values again, in place."""
        found = self.candidates
        assert found.columns is not None  # only float32 screening lists the whole gallery
        columns = found.columns[self.open]
        found.values[self.open] = scorer.refined(found.row, columns)[0]
        return found


def _screened(
    scorer: Scorer, screener: Screener, sets: tuple[Truth, Indices], rows: Indices
) -> Generator[Candidates, None, Indices]:
    """Yields the candidates that the screener decides; returns the other queries."""
    truth, junk = sets
    counted = np.ones(scorer.images, dtype=bool)
    counted[junk] = False
    lines = screener.lines(rows)
    hard: list[_Sketch] = []
    left: list[int] = []
    for place, row in enumerate(rows.tolist()):
        if place == _FEW and 4 * (len(hard) + len(left)) > place:
            left += rows[place:].tolist()
            break
        found = _sketch(scorer, lines[place], (row, *truth[row]), counted)
        if found is not None and _HARD * len(found.open) <= len(counted):
            yield found.settle(scorer)
        elif found is not None and len(hard) < _FEW:
            hard.append(found)
        else:
            left.append(row)
    if left:
        left += [found.candidates.row for found in hard]
    else:
        yield from (found.settle(scorer) for found in hard)
    screener.count(len(rows) - len(left), len(left))
    return np.array(left, dtype=np.int64)


def _sketch(
    scorer: Scorer, line: Line, query: tuple[int, Indices, Indices], counted: Mask
) -> _Sketch | None:
    """Returns None where the error bound fails, or too many images reach the last match."""
    row, matches, out = query
    reached, error = scorer.refined(row, matches)
    if not line.holds(matches, reached):
        return None
    line.values[matches] = -np.inf
    line.values[out] = -np.inf
    columns = line.reaching(float(reached.min()) - 3 * error)
    if _REACHING * len(columns) > len(counted):
        return None
    columns = columns[counted[columns]]
    values = line.values[columns].astype(np.float64)
    unsure = undecided(line, values, reached, 3 * error).nonzero()[0]
    found = Candidates(row, matches, reached, columns, values, np.float64(2 * error))
    return _Sketch(found, unsure)
