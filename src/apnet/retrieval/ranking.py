"""The exact ranks of every query's matches, without sorting the gallery.

Under a stable order (nearest first, ties in gallery order) a match at gallery index p is preceded
by the other images that are nearer, and by those equally near that stand before p. So its rank is
a count, and no sort of the whole gallery is needed:

1. One matrix product screens a block of queries (``comparison``). Images left out get -inf.
2. The images that reach the lowest score of a match, few for a useful feature, are sorted (all
   scores where they are many: numpy sorts bare numbers faster than it extracts them) and counted.
3. A score closer to a match's than the rounding bound leaves their order open. These pairs alone
   are computed again in float64, each by itself, and compared exactly.

The ranks do not depend on block size, threads, processor or the library under numpy, as long as the
rounding bound of ``comparison`` holds. Open pairs are few, unless the features of many different
persons are equal to the last bits: then all are computed exactly, which is slow but still right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.retrieval.comparison import Comparison, Features, Indices
from apnet.retrieval.relevance import Relevance

_OPEN_AT_ONCE = 1 << 18
"""Open pairs that are gathered before they are decided: some 10 MiB."""


@dataclass(frozen=True)
class MatchRanks:
    """Ranks of the matches of V queries, one query after the other.

    Attributes:
        queries: (V,) the queries that have a match, ascending.
        ranks: (M,) from 1, ascending within a query.
        counts: (V,) matches of each query; they sum to M.
    """

    queries: Indices
    ranks: Indices
    counts: Indices


def rank_matches(comparison: Comparison, relevance: Relevance, rows: Indices) -> MatchRanks:
    """Returns the exact ranks of the matches of one block of queries.

    Args:
        comparison: of the queries with the gallery.
        relevance: of the same sets.
        rows: (B,) the block's queries, ascending.
    """
    truth = {int(row): relevance.of(int(row)) for row in rows}
    rows = np.array([row for row in truth if len(truth[row][0])], dtype=np.int64)
    counts = np.array([len(truth[row][0]) for row in rows.tolist()], dtype=np.int64)
    if not len(rows):
        return MatchRanks(rows, np.empty(0, np.int64), counts)
    scores = comparison.screen(rows)
    firsts = np.array([truth[row][0][0] for row in rows.tolist()], dtype=np.int64)
    margins = (2 * comparison.slack(rows, firsts, scores)).astype(scores.dtype)
    scores[:, relevance.junk] = -np.inf
    tally = _Tally(comparison, int(counts.sum()))
    for row, line, margin in zip(rows.tolist(), scores, margins, strict=True):
        tally.add(row, line, *truth[row], margin)
    return MatchRanks(rows, tally.ranks(), counts)


class _Tally:
    """Counts, query after query, what stands ahead of each match."""

    def __init__(self, comparison: Comparison, size: int) -> None:
        self._comparison = comparison
        self._ahead = np.zeros(size, dtype=np.int64)
        self._places = np.zeros(size, dtype=np.int64)  # nth match -> its place in _ahead
        self._among = np.zeros(size, dtype=np.int64)  # nth match -> n within its query
        self._filled = 0
        self._open: list[tuple[int, int, int, Indices]] = []
        self._open_size = 0

    def add(
        self, row: int, line: Features, matches: Indices, out: Indices, margin: np.floating
    ) -> None:
        """Counts for one query.

        Args:
            row: the query.
            line: (G,) its screened scores; matches and left-out images become -inf.
            matches: gallery indices, ascending.
            out: gallery indices that do not count.
            margin: two scores further apart than this are in order.
        """
        reached = line[matches]
        line[matches] = -np.inf
        line[out] = -np.inf
        start, stop = self._filled, self._filled + len(matches)
        self._places[start:stop] = start + self._order(row, matches, reached, margin)
        self._among[start:stop] = np.arange(1, len(matches) + 1)
        self._filled = stop

        low, high = reached - margin, reached + margin
        reaching = line >= low.min()
        ascending = line.copy() if 8 * np.count_nonzero(reaching) > len(line) else line[reaching]
        ascending.sort()
        within = ascending.searchsorted(low, side="left")
        beyond = ascending.searchsorted(high, side="right")
        self._ahead[start:stop] = len(ascending) - beyond
        for match in (beyond > within).nonzero()[0].tolist():
            close = ((line >= low[match]) & (line <= high[match])).nonzero()[0]
            self._leave_open(row, int(matches[match]), start + match, close)

    def ranks(self) -> Indices:
        """Returns the ranks of all matches, ascending within each query."""
        self._decide()
        return self._ahead[self._places] + self._among

    def _order(self, row: int, matches: Indices, reached: Features, margin: np.floating) -> Indices:
        order: Indices = (-reached).argsort(kind="stable")
        if len(order) > 1 and _smallest_step(reached[order]) <= margin:
            keys = self._comparison.keys(np.full(len(matches), row), matches)
            order = np.argsort(-keys, kind="stable")
        return order

    def _leave_open(self, row: int, match: int, place: int, others: Indices) -> None:
        self._open.append((row, match, place, others))
        self._open_size += len(others)
        if self._open_size > _OPEN_AT_ONCE:
            self._decide()

    def _decide(self) -> None:
        if not self._open:
            return
        rows, matches, places = np.array([entry[:3] for entry in self._open]).T
        sizes = [len(entry[3]) for entry in self._open]
        others = np.concatenate([entry[3] for entry in self._open])
        standard = np.repeat(self._comparison.keys(rows, matches), sizes)
        keys = self._keys_once(np.repeat(rows, sizes), others)
        earlier = others < np.repeat(matches, sizes)
        first = (keys > standard) | ((keys == standard) & earlier)
        self._ahead += np.bincount(np.repeat(places, sizes)[first], minlength=len(self._ahead))
        self._open, self._open_size = [], 0

    def _keys_once(self, rows: Indices, columns: Indices) -> NDArray[np.float64]:
        width = len(self._comparison.gallery)
        pairs, back = np.unique(rows * width + columns, return_inverse=True)
        return self._comparison.keys(pairs // width, pairs % width)[back]


def _smallest_step(descending: Features) -> np.floating:
    step: np.floating = (descending[:-1] - descending[1:]).min()
    return step
