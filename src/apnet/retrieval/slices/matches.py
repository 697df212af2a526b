"""The ranks of all matches, and comparisons of matches with images of twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.retrieval.ranking.blocks import default_threads, over_blocks, rows_in_block
from apnet.retrieval.ranking.ranks import rank_matches
from apnet.retrieval.ranking.relevance import Relevance
from apnet.retrieval.ranking.scorer import Indices, Keys, Scorer
from apnet.types import Embeddings

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RankedMatches:
    """The M matches of all queries, ordered by query and then by rank.

    Attributes:
        rows: (M,) the queries.
        columns: (M,) the gallery images.
        ranks: (M,) from 1.
    """

    rows: Indices
    columns: Indices
    ranks: Indices

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def counts(self) -> Indices:
        """Number of matches of each query that has one, (V,)."""
        return np.unique(self.rows, return_counts=True)[1]

    def of_queries(self, mask: Mask) -> RankedMatches:
        """Returns the matches (M,) where ``mask`` is true; ranks stay as they are."""
        return RankedMatches(self.rows[mask], self.columns[mask], self.ranks[mask])

    def without_others(self, mask: Mask) -> RankedMatches:
        """Returns the matches where ``mask`` (M,) is true, as if the others were junk.

        The rank of a match falls by the number of removed matches that precede it.
        """
        removed = np.cumsum(~mask)
        starts = np.searchsorted(self.rows, self.rows)  # (M,) the first match of the same query
        before = removed - removed[starts] + ~mask[starts]
        return RankedMatches(self.rows[mask], self.columns[mask], (self.ranks - before)[mask])


class TwinImages:
    """The gallery images of the twins of each query's person.

    Args:
        query: the queries; only their pids are used.
        gallery: the gallery, likewise.
        pairs: pids of twins.
    """

    def __init__(
        self, query: Embeddings, gallery: Embeddings, pairs: Sequence[tuple[int, int]]
    ) -> None:
        self._pids = query.pids
        twins: dict[int, set[int]] = {}
        for one, other in pairs:
            twins.setdefault(one, set()).add(other)
            twins.setdefault(other, set()).add(one)
        self._columns: dict[int, Indices] = {
            pid: np.flatnonzero(np.isin(gallery.pids, list(twins[pid])))
            for pid in np.unique(query.pids).tolist()
            if pid in twins
        }

    def of(self, row: int) -> Indices:
        """Returns the gallery indices for one query, ascending."""
        return self._columns.get(int(self._pids[row]), np.empty(0, dtype=np.int64))


def rank_all_matches(
    scorer: Scorer, relevance: Relevance, twins: Mapping[str, TwinImages]
) -> tuple[RankedMatches, dict[str, Keys]]:
    """Ranks the matches of all queries and compares them with images of twins.

    Args:
        scorer: of the queries with the gallery.
        relevance: of the same sets.
        twins: images of twins, by kind of twins.

    Returns:
        The matches; and by kind of twins (Q, 2): the triples in which the match is nearer than the
        twin (a tie counts 0.5), and the number of triples, per query.
    """
    wins = {kind: np.zeros((scorer.queries, 2)) for kind in twins}

    def work(rows: Indices) -> RankedMatches:
        ranked = rank_matches(scorer, relevance, rows)
        columns = [np.empty(0, dtype=np.int64)]
        for row in ranked.queries.tolist():
            matches = relevance.of(row)[0]
            keys = _keys(scorer, row, matches)
            columns.append(matches[np.argsort(-keys, kind="stable")])
            for kind, images in twins.items():
                wins[kind][row] = _wins(keys, _keys(scorer, row, images.of(row)))
        rows_of_matches = np.repeat(ranked.queries, ranked.counts)
        return RankedMatches(rows_of_matches, np.concatenate(columns), ranked.ranks)

    threads = default_threads()
    size = rows_in_block(scorer.row_bytes, scorer.feature_bytes, threads)
    blocks = [block for _, block in over_blocks(work, scorer.queries, size, threads)]
    return _concatenated(blocks), wins


def _concatenated(blocks: Sequence[RankedMatches]) -> RankedMatches:
    none = np.empty(0, dtype=np.int64)
    return RankedMatches(
        np.concatenate([none, *(block.rows for block in blocks)]),
        np.concatenate([none, *(block.columns for block in blocks)]),
        np.concatenate([none, *(block.ranks for block in blocks)]),
    )


def _keys(scorer: Scorer, row: int, columns: Indices) -> Keys:
    return scorer.keys(np.full(len(columns), row), columns)


def _wins(matches: Keys, twins: Keys) -> tuple[float, int]:
    """Returns how many pairs of a match and a twin's image the match wins, and their number."""
    twins = np.sort(twins)
    below = np.searchsorted(twins, matches, side="left")
    up_to = np.searchsorted(twins, matches, side="right")
    return float((below + up_to).sum()) / 2, len(matches) * len(twins)
