"""An evaluation broken down by attributes of the images: view, clothes, occlusion, light, twins.

All matches are ranked once. In a slice that counts only some of a query's matches, the other
matches are junk, and the ranks are corrected for it (``RankedMatches.without_others``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apnet.display import summarised
from apnet.errors import DataError
from apnet.results import ProtocolCard
from apnet.retrieval.metrics.registry import breakdown_metrics
from apnet.retrieval.ranking.comparison import Comparison
from apnet.retrieval.ranking.relevance import Relevance
from apnet.retrieval.ranking.scorer import Indices, Keys
from apnet.retrieval.slices.attributes import ImageAttributes
from apnet.retrieval.slices.matches import Mask, RankedMatches, TwinImages, rank_all_matches
from apnet.types import Embeddings

Pairs = Mapping[str, Sequence[tuple[int, int]]]
"""Pairs of pids of people who are hard to tell apart, by kind of twins."""


@summarised
@dataclass(frozen=True, repr=False)
class Slice:
    """Metrics of a subset of the evaluation; shares are fractions from 0 to 1.

    Attributes:
        by: the attribute, such as ``view``.
        name: the subset, such as ``other view``.
        queries: number of queries with a match in this subset, at least 1; the metrics are means
            over these.
        figures: ``mAP`` (the card's kind) and the metrics of ``METRICS`` with ``in_breakdown``, by
            key; for twins ``accuracy`` and ``triples``.
    """

    by: str
    name: str
    queries: int
    figures: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON form: the names, the number of queries and the metrics."""
        return {"by": self.by, "name": self.name, "queries": self.queries, **self.figures}


def breakdown(
    query: Embeddings,
    gallery: Embeddings,
    attributes: tuple[ImageAttributes, ImageAttributes],
    pairs: Pairs,
    card: ProtocolCard,
) -> list[Slice]:
    """Breaks an evaluation down; ranks, junk and average precision are those of ``evaluate``.

    * ``view``, ``clothes``: only matches with a different view or outfit from the query's count,
      then only those with the same; the person's other images are junk.
    * ``occlusion``, ``pixels``, ``light``: a subset of the queries, with all of their matches.
    * ``twins``: of all triples (query, match, gallery image of a twin of the query's person), the
      share in which the match is nearer; a tie counts half, so that chance is 0.5.

    Memory beyond the features is bounded as in ``evaluate``, plus some 20 bytes per match.

    Args:
        query: Q queries.
        gallery: the gallery.
        attributes: of the Q queries, and of the gallery images.
        pairs: twins, by kind.
        card: the protocol; its distance, junk rule and AP kind are used.

    Returns:
        The slices that have at least one query, in the order above.

    Raises:
        DataError: the dimensions differ, or the attributes have other lengths than the features.
    """
    _check_lengths((query, gallery), attributes)
    scorer = Comparison(query.features, gallery.features, card.distance)
    relevance = Relevance(query, gallery, card.junk_rule)
    twins = {kind: TwinImages(query, gallery, some) for kind, some in pairs.items()}
    matches, wins = rank_all_matches(scorer, relevance, twins)
    slices = [
        *_by_match(matches, attributes, card),
        *_by_query(matches, attributes[0], card),
    ]
    return slices + [_twin_slice(kind, each) for kind, each in wins.items() if each[:, 1].any()]


def _check_lengths(
    sets: tuple[Embeddings, Embeddings], attributes: tuple[ImageAttributes, ImageAttributes]
) -> None:
    for name, embeddings, known in zip(("query", "gallery"), sets, attributes, strict=True):
        if len(known) != len(embeddings):
            raise DataError(
                f"{name}: attributes of {len(known)} images for {len(embeddings)} features; "
                "give one entry for each feature, in the same order"
            )


def _slice(by: str, name: str, matches: RankedMatches, card: ProtocolCard) -> Iterator[Slice]:
    """Yields the slice of these matches if there are any."""
    if not len(matches):
        return
    counts = matches.counts
    figures = {
        key: float(metric.formula(matches.ranks, counts).mean())
        for key, metric in breakdown_metrics(card).items()
    }
    yield Slice(by, name, len(counts), figures)


def _by_match(
    matches: RankedMatches,
    attributes: tuple[ImageAttributes, ImageAttributes],
    card: ProtocolCard,
) -> Iterator[Slice]:
    query, gallery = attributes
    for by, values, unknown, names in (
        ("view", (query.views, gallery.views), "", ("other view", "same view")),
        ("clothes", (query.clothes, gallery.clothes), None, ("changed", "same")),
    ):
        query_codes, gallery_codes = _codes(values, unknown)
        ours, theirs = query_codes[matches.rows], gallery_codes[matches.columns]
        known = (ours >= 0) & (theirs >= 0)
        for name, chosen in zip(names, (ours != theirs, ours == theirs), strict=True):
            yield from _slice(by, name, matches.without_others(known & chosen), card)


def _codes(
    sets: tuple[Sequence[str | None], Sequence[str | None]], unknown: str | None
) -> Iterator[Indices]:
    """Yields each set's values as whole numbers, equal for equal values; -1 where unknown."""
    numbers: dict[str | None, int] = {unknown: -1}
    for values in sets:
        codes = [numbers.setdefault(value, len(numbers)) for value in values]
        yield np.array(codes, dtype=np.int64)


def _by_query(
    matches: RankedMatches, query: ImageAttributes, card: ProtocolCard
) -> Iterator[Slice]:
    hidden, height, lights = query.occlusion, query.pixels, np.array(query.lights, dtype=str)
    subsets: list[tuple[str, str, Mask]] = [
        ("occlusion", "< 10 %", hidden < 0.1),
        ("occlusion", "10-30 %", (hidden >= 0.1) & (hidden <= 0.3)),
        ("occlusion", "> 30 %", hidden > 0.3),
        ("pixels", "< 60", height < 60),
        ("pixels", "60-120", (height >= 60) & (height <= 120)),
        ("pixels", "> 120", height > 120),
        *(("light", name, lights == name) for name in sorted({*query.lights} - {""})),
    ]
    for by, name, chosen in subsets:
        yield from _slice(by, name, matches.of_queries(chosen[matches.rows]), card)


def _twin_slice(kind: str, wins: Keys) -> Slice:
    won, triples = wins.sum(axis=0).tolist()
    figures = {"accuracy": won / triples, "triples": int(triples)}
    return Slice("twins", kind, int(np.count_nonzero(wins[:, 1])), figures)
