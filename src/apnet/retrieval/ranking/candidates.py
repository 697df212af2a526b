"""What a block's screening leaves to look at: bf16 first where it is used, float32 otherwise."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.retrieval.ranking.scorer import Features, Indices, Keys, Scorer
from apnet.retrieval.ranking.screening import Line, Screener

Mask = NDArray[np.bool_]
Truth = Mapping[int, tuple[Indices, Indices]]
"""Each query's matches, and what is left out beside the junk: gallery indices, ascending."""

_REACHING = 2
"""A query is left to float32 where more than 1/2 of the gallery reaches its last match."""

_HARD = 32
"""A query is hard where more than 1/32 of the gallery is to be computed again: that costs as much
as its share of a float32 product."""

_FEW = 32
"""Fewer hard queries in a block are settled nevertheless, as a product of few rows is slow. Where
more than a quarter of the first so many are hard, the rest of the block is not looked at."""


@dataclass(frozen=True)
class Candidates:
    """One query's matches, and the other images that may stand ahead of one.

    Attributes:
        row: the query.
        matches: (m,) gallery indices, ascending.
        reached: (m,) the matches' scores.
        columns: (n,) gallery indices of the others, ascending; ``None`` for all.
        values: (n,) their scores; what does not count is -inf or left out.
        margin: scores further apart than this are in order.
    """

    row: int
    matches: Indices
    reached: Features
    columns: Indices | None
    values: Features
    margin: np.floating


def candidates(scorer: Scorer, truth: Truth, junk: Indices, rows: Indices) -> Iterator[Candidates]:
    """Yields the candidates of queries that have a match, in any order.

    Args:
        scorer: of the queries with the gallery.
        truth: matches and left-out images, by query.
        junk: gallery images that are left out for all.
        rows: (B,) the queries.
    """
    left, step = rows, len(rows)
    if scorer.screener is not None:
        step = max(1, step // 2)  # a float32 score is twice as long
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
        if 8 * np.count_nonzero(reaching) > len(line):  # bare numbers are sorted faster than found
            yield Candidates(row, matches, reached, None, line, margin)
        else:
            columns = reaching.nonzero()[0]
            yield Candidates(row, matches, reached, columns, line[columns], margin)


@dataclass(frozen=True)
class _Sketch:
    """Candidates of which the values at ``open`` are not yet good enough."""

    candidates: Candidates
    open: Indices

    def settled(self, scorer: Scorer) -> Candidates:
        found = self.candidates
        assert found.columns is not None  # only float32 counts all
        columns = found.columns[self.open]
        found.values[self.open] = scorer.refined(found.row, columns)[0]
        return found


def _screened(
    scorer: Scorer, screener: Screener, sets: tuple[Truth, Indices], rows: Indices
) -> Generator[Candidates, None, Indices]:
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
            yield found.settled(scorer)
        elif found is not None and len(hard) < _FEW:
            hard.append(found)
        else:
            left.append(row)
    if left:
        left += [found.candidates.row for found in hard]
    else:
        yield from (found.settled(scorer) for found in hard)
    screener.count(len(rows) - len(left), len(left))
    return np.array(left, dtype=np.int64)


def _sketch(
    scorer: Scorer, line: Line, query: tuple[int, Indices, Indices], counted: Mask
) -> _Sketch | None:
    """Returns ``None`` where the bound does not hold, or too many images reach the last match."""
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
    unsure = _undecided(line, values, reached, 3 * error).nonzero()[0]
    found = Candidates(row, matches, reached, columns, values, np.float64(2 * error))
    return _Sketch(found, unsure)


def _undecided(line: Line, values: Keys, reached: Keys, error: float) -> Mask:
    """Returns which values (n,) may lie on either side of one of the scores reached (m,)."""
    ordered = np.sort(reached)
    begun = line.lowest(ordered - error).searchsorted(values, side="right")
    ended = line.highest(ordered + error).searchsorted(values, side="left")
    inside: Mask = begun > ended
    return inside
