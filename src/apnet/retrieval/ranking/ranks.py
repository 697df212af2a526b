"""The exact ranks of every query's matches, without sorting the gallery.

In the stable order (nearest first, ties in gallery order) a match at gallery index p is preceded by
the images that are nearer, and by those at the same distance with a smaller index. Its rank is
therefore a count:

1. One matrix product screens a block of queries, coarsely (``screening``) or in float32
   (``comparison``). The images that may reach the lowest score of a match are the query's
   candidates; there are few of them if the feature is good (``candidates``).
2. The scores of the candidates are sorted and counted.
3. Where a candidate's score and a match's differ by less than the rounding bound, their order is
   open. These pairs are computed again in float64, one by one, and compared exactly.

The ranks do not depend on block size, threads, processor, screening or the library under numpy, as
long as the rounding bounds hold. Open pairs are few, unless the features of many different people
are equal up to the last bits; then all pairs are computed in float64, which is slow but correct.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.retrieval.ranking.candidates import Candidates, candidates
from apnet.retrieval.ranking.relevance import Relevance
from apnet.retrieval.ranking.scorer import Indices, Scorer

_OPEN_AT_ONCE = 1 << 18
"""Number of open pairs that are decided together: some 10 MiB."""


@dataclass(frozen=True)
class MatchRanks:
    """Ranks of the matches of V queries, concatenated.

    Attributes:
        queries: (V,) the queries that have a match, ascending.
        ranks: (M,) from 1, ascending within a query.
        counts: (V,) number of matches per query, with sum M.
    """

    queries: Indices
    ranks: Indices
    counts: Indices


def rank_matches(scorer: Scorer, relevance: Relevance, rows: Indices) -> MatchRanks:
    """Returns the exact ranks of the matches of one block of queries.

    Args:
        scorer: of the queries with the gallery.
        relevance: of the same sets.
        rows: (B,) the block's queries, ascending.
    """
    truth = {int(row): relevance.of(int(row)) for row in rows}
    rows = np.array([row for row in truth if len(truth[row][0])], dtype=np.int64)
    counts = np.array([len(truth[row][0]) for row in rows.tolist()], dtype=np.int64)
    if not len(rows):
        return MatchRanks(rows, np.empty(0, np.int64), counts)
    tally = _Tally(scorer, rows, counts)
    for found in candidates(scorer, truth, relevance.junk, rows):
        tally.add(found)
    return MatchRanks(rows, tally.ranks(), counts)


class _Tally:
    """Counts the images ahead of each match, not counting the other matches.

    Args:
        scorer: computes the keys of open pairs.
        rows: (V,) the queries.
        counts: (V,) their numbers of matches.
    """

    def __init__(self, scorer: Scorer, rows: Indices, counts: Indices) -> None:
        self._scorer = scorer
        self._counts = counts
        self._ends = np.cumsum(counts)
        self._starts = dict(zip(rows.tolist(), (self._ends - counts).tolist(), strict=True))
        self._ahead = np.zeros(int(counts.sum()), dtype=np.int64)
        self._open: list[tuple[int, int, int, Indices]] = []
        self._open_size = 0

    def add(self, found: Candidates) -> None:
        """Counts the candidates of one query."""
        reached, values = found.reached, found.values
        low, high = reached - found.margin, reached + found.margin
        ascending = np.sort(values)
        within = ascending.searchsorted(low, side="left")
        beyond = ascending.searchsorted(high, side="right")
        start = self._starts[found.row]
        self._ahead[start : start + len(reached)] = len(ascending) - beyond
        for match in (beyond > within).nonzero()[0].tolist():
            close = ((values >= low[match]) & (values <= high[match])).nonzero()[0]
            others = close if found.columns is None else found.columns[close]
            self._leave_open(found.row, int(found.matches[match]), start + match, others)

    def ranks(self) -> Indices:
        """Returns the ranks of all matches, ascending within each query.

        The matches need not be compared with each other: a nearer match never has more other images
        ahead of it, so that sorting the counts orders the matches.
        """
        self._decide()
        width = self._scorer.images + 1
        query = np.repeat(np.arange(len(self._counts)), self._counts)
        ahead = np.sort(self._ahead + query * width) - query * width
        among = np.arange(len(ahead)) - np.repeat(self._ends - self._counts, self._counts)
        ranks: Indices = ahead + among + 1
        return ranks

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
        standard = np.repeat(self._scorer.keys(rows, matches), sizes)
        keys = self._keys_once(np.repeat(rows, sizes), others)
        earlier = others < np.repeat(matches, sizes)
        first = (keys > standard) | ((keys == standard) & earlier)
        self._ahead += np.bincount(np.repeat(places, sizes)[first], minlength=len(self._ahead))
        self._open, self._open_size = [], 0

    def _keys_once(self, rows: Indices, columns: Indices) -> NDArray[np.float64]:
        width = self._scorer.images
        pairs, back = np.unique(rows * width + columns, return_inverse=True)
        return self._scorer.keys(pairs // width, pairs % width)[back]
