"""An evaluation broken down by what is known of the images: view, occlusion, light, twins.

One pass over the queries ranks every match. Where a slice counts only some of a query's matches and
the others are junk, their ranks follow: a match moves up by the junk matches ahead of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.errors import DataError
from apnet.results import ProtocolCard
from apnet.retrieval.metrics.registry import breakdown_metrics
from apnet.retrieval.ranking.blocks import default_threads, over_blocks, rows_in_block
from apnet.retrieval.ranking.comparison import Comparison
from apnet.retrieval.ranking.ranks import rank_matches
from apnet.retrieval.ranking.relevance import Relevance
from apnet.retrieval.ranking.scorer import Indices, Keys
from apnet.types import Embeddings

Mask = NDArray[np.bool_]
Pairs = Mapping[str, Sequence[tuple[int, int]]]
"""Pairs of pids of people who are hard to tell apart, by the name of their slice."""


@dataclass(frozen=True)
class Facts:
    """What is known of N images; every field has N entries.

    Attributes:
        views: ``front``, ``side`` or ``back``; empty where unknown.
        occlusion: (N,) share of the person that is hidden, 0 to 1; NaN where unknown.
        pixels: (N,) height of the person in the source picture; NaN where unknown.
        lights: names of kinds of light; empty where unknown.
        clothes: what is worn otherwise than usual, a name for each outfit; None where unknown.

    Raises:
        DataError: on construction, when the fields have different lengths.
    """

    views: tuple[str, ...]
    occlusion: NDArray[np.float64]
    pixels: NDArray[np.float64]
    lights: tuple[str, ...]
    clothes: tuple[str | None, ...]

    def __post_init__(self) -> None:
        counts = {name: len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(set(counts.values())) > 1:
            raise DataError(f"facts must have one entry an image in every field, got {counts}")

    def __len__(self) -> int:
        return len(self.views)


@dataclass(frozen=True)
class Slice:
    """Figures of a part of the evaluation; shares are fractions from 0 to 1.

    Attributes:
        by: what the evaluation is broken down by, such as ``view``.
        name: which part this is, such as ``other view``.
        queries: queries that have a match in this part, at least 1; the figures are over these.
        figures: ``mAP`` (the card's kind) and ``rank1``; for twins ``accuracy`` and ``triples``.
    """

    by: str
    name: str
    queries: int
    figures: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON form, the figures beside the names."""
        return {"by": self.by, "name": self.name, "queries": self.queries, **self.figures}


def breakdown(
    query: Embeddings,
    gallery: Embeddings,
    facts: tuple[Facts, Facts],
    pairs: Pairs,
    card: ProtocolCard,
) -> list[Slice]:
    """Breaks an evaluation down; ranks, junk and average precision are those of ``evaluate``.

    * ``view``, ``clothes``: only matches of another, then only those of the same, view or outfit
      as the query count; the person's other images are junk.
    * ``occlusion``, ``pixels``, ``light``: the queries of one kind, with all of their matches.
    * ``twins``: of all triples (query, match, gallery image of a twin of the query's person), the
      share in which the match is nearer; a tie counts half, so chance is 0.5.

    Memory beyond the features is bounded as in ``evaluate``, plus some 20 bytes a match.

    Args:
        query: Q searches.
        gallery: what is searched.
        facts: of the Q queries, and of the gallery.
        pairs: twins, by kind.
        card: its distance, junk rule and AP kind decide.

    Returns:
        The slices that have a query, in the order above.

    Raises:
        DataError: the dimensions differ, or the facts are of other sets.
    """
    for name, embeddings, known in zip(("query", "gallery"), (query, gallery), facts, strict=True):
        if len(known) != len(embeddings):
            raise DataError(
                f"{name}: facts of {len(known)} images for {len(embeddings)} features; "
                "give one entry for each feature, in the same order"
            )
    comparison = Comparison(query.features, gallery.features, card.distance)
    relevance = Relevance(query, gallery, card.junk_rule)
    rivals = {kind: _Rivals(query, gallery, some) for kind, some in pairs.items()}
    found, wins = _look_up(comparison, relevance, rivals, len(query))
    slices = [*_by_match(found, facts, card), *_by_query(found, facts[0], card)]
    return slices + [_twin_slice(kind, wins[kind]) for kind in wins if wins[kind][:, 1].any()]


@dataclass(frozen=True)
class _Found:
    """The M matches of all queries, by query and rank."""

    rows: Indices
    columns: Indices
    ranks: Indices

    def kept(self, mask: Mask) -> _Found:
        """Leaves matches out as junk: those behind them move up."""
        left_out = np.cumsum(~mask)
        starts = np.searchsorted(self.rows, self.rows)  # (M,) where each match's query begins
        before = left_out - left_out[starts] + ~mask[starts]
        ranks: Indices = (self.ranks - before)[mask]
        return _Found(self.rows[mask], self.columns[mask], ranks)

    def slice(self, by: str, name: str, card: ProtocolCard) -> Iterator[Slice]:
        """Yields the figures of these matches, if there are any."""
        if not len(self.rows):
            return
        _, counts = np.unique(self.rows, return_counts=True)
        figures = {
            key: float(metric.formula(self.ranks, counts).mean())
            for key, metric in breakdown_metrics(card).items()
        }
        yield Slice(by, name, len(counts), figures)


class _Rivals:
    """The gallery images of the twins of every query's person."""

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
        """Returns one query's, in gallery order."""
        return self._columns.get(int(self._pids[row]), np.empty(0, dtype=np.int64))


def _look_up(
    comparison: Comparison, relevance: Relevance, rivals: Mapping[str, _Rivals], queries: int
) -> tuple[_Found, dict[str, Keys]]:
    """Returns all matches; and by kind of twins each query's triples won and triples, (Q, 2)."""
    wins = {kind: np.zeros((queries, 2)) for kind in rivals}

    def work(rows: Indices) -> _Found:
        matched = rank_matches(comparison, relevance, rows)
        columns = []
        for row in matched.queries.tolist():
            matches = relevance.of(row)[0]
            keys = _keys(comparison, row, matches)
            columns.append(matches[np.argsort(-keys, kind="stable")])
            for kind, twins in rivals.items():
                wins[kind][row] = _won(keys, _keys(comparison, row, twins.of(row)))
        flat = np.concatenate([np.empty(0, dtype=np.int64), *columns])
        return _Found(np.repeat(matched.queries, matched.counts), flat, matched.ranks)

    threads = default_threads()
    size = rows_in_block(comparison.row_bytes, comparison.feature_bytes, threads)
    blocks = [block for _, block in over_blocks(work, queries, size, threads)]
    none = np.empty(0, dtype=np.int64)
    rows, columns, ranks = (
        np.concatenate([none, *(getattr(block, name) for block in blocks)])
        for name in ("rows", "columns", "ranks")
    )
    return _Found(rows, columns, ranks), wins


def _keys(comparison: Comparison, row: int, columns: Indices) -> Keys:
    return comparison.keys(np.full(len(columns), row), columns)


def _won(right: Keys, wrong: Keys) -> tuple[float, int]:
    wrong = np.sort(wrong)
    below = np.searchsorted(wrong, right, side="left")
    up_to = np.searchsorted(wrong, right, side="right")
    return float((below + up_to).sum()) / 2, len(right) * len(wrong)


def _by_match(found: _Found, facts: tuple[Facts, Facts], card: ProtocolCard) -> Iterator[Slice]:
    views = (facts[0].views, facts[1].views)
    clothes = (facts[0].clothes, facts[1].clothes)
    for by, sides, unknown, names in (
        ("view", views, "", ("other view", "same view")),
        ("clothes", clothes, None, ("changed", "same")),
    ):
        ours, theirs = _numbered(sides, unknown)
        one, two = ours[found.rows], theirs[found.columns]
        known = (one >= 0) & (two >= 0)
        for name, wanted in zip(names, (one != two, one == two), strict=True):
            yield from found.kept(known & wanted).slice(by, name, card)


def _numbered(
    sides: tuple[Sequence[str | None], Sequence[str | None]], unknown: str | None
) -> Iterator[Indices]:
    numbers: dict[str | None, int] = {unknown: -1}
    for side in sides:
        codes = [numbers.setdefault(name, len(numbers)) for name in side]
        yield np.array(codes, dtype=np.int64)


def _by_query(found: _Found, facts: Facts, card: ProtocolCard) -> Iterator[Slice]:
    hidden, tall, lights = facts.occlusion, facts.pixels, np.array(facts.lights, dtype=str)
    parts: list[tuple[str, str, Mask]] = [
        ("occlusion", "< 10 %", hidden < 0.1),
        ("occlusion", "10-30 %", (hidden >= 0.1) & (hidden <= 0.3)),
        ("occlusion", "> 30 %", hidden > 0.3),
        ("pixels", "< 60", tall < 60),
        ("pixels", "60-120", (tall >= 60) & (tall <= 120)),
        ("pixels", "> 120", tall > 120),
        *(("light", name, lights == name) for name in sorted({*facts.lights} - {""})),
    ]
    for by, name, chosen in parts:
        of_chosen = chosen[found.rows]
        part = _Found(*(getattr(found, key)[of_chosen] for key in ("rows", "columns", "ranks")))
        yield from part.slice(by, name, card)


def _twin_slice(kind: str, wins: Keys) -> Slice:
    won, triples = wins.sum(axis=0).tolist()
    figures = {"accuracy": won / triples, "triples": int(triples)}
    return Slice("twins", kind, int(np.count_nonzero(wins[:, 1])), figures)
