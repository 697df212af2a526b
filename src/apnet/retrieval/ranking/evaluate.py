"""Single-query evaluation: features in, figures with their protocol out (section IV-A)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apnet.errors import DataError
from apnet.progress import Progress, silent
from apnet.results import APKind, Distance, Evaluation, ProtocolCard
from apnet.retrieval.metrics import formulas as metrics
from apnet.retrieval.ranking.blocks import default_threads, over_blocks, rows_in_block
from apnet.retrieval.ranking.comparison import Comparison, Indices, Keys
from apnet.retrieval.ranking.ranks import MatchRanks, rank_matches
from apnet.retrieval.ranking.relevance import Relevance
from apnet.types import JUNK_PID, NO_CAMERA, Embeddings

CMC_LENGTH = 50
"""The CMC curve's ranks, where the gallery is that large."""


def evaluate(
    query: Embeddings,
    gallery: Embeddings,
    *,
    card: ProtocolCard,
    threads: int | None = None,
    device: str = "auto",
    progress: Progress = silent,
) -> Evaluation:
    """Ranks the gallery for every query, exactly, and returns the figures.

    Left out for a query are gallery images of ``JUNK_PID``; under the card's ``same-camera`` rule
    those of the query's pid and camera, where an unknown camera equals no other; and, where both
    sets name their files, the query's own file, so that a set can be evaluated against itself.
    Queries left with no match are counted but not averaged. Equal distances stay in gallery order.
    A zero vector has cosine similarity 0 with everything.

    The ranks are those of float64 arithmetic, on whatever device; the memory beyond the features is
    at most 16 MiB or a tenth of the features, whichever is more, plus some 10 MiB a thread, and
    half the gallery's features where it screens in bf16.

    Args:
        query: Q searches.
        gallery: what is searched.
        card: the protocol; its distance, junk rule and AP kind decide, the rest is passed on.
        threads: blocks of queries in work at once; by default the cores, at most 2.
        device: where to screen in bf16: ``auto`` (on the processor, where that pays), ``numpy``
            (nowhere: float32 throughout) or a torch device. The figures do not depend on it.
        progress: called with (queries done, Q).

    Raises:
        DataError: the dimensions differ, or no query has a match in the gallery.
        ConfigError: the device is not there.
    """
    threads = threads or default_threads()
    comparison = Comparison(query.features, gallery.features, card.distance, device)
    relevance = Relevance(query, gallery, card.junk_rule)
    return evaluate_comparison(comparison, relevance, card, threads, progress)


def evaluate_comparison(
    comparison: Comparison,
    relevance: Relevance,
    card: ProtocolCard,
    threads: int,
    progress: Progress,
) -> Evaluation:
    """Ranks by any comparison, as ``evaluate`` does by features.

    Args:
        comparison: of Q queries with a gallery.
        relevance: of the same sets.
        card: the protocol that both follow.
        threads: blocks of queries in work at once.
        progress: called with (queries done, Q).

    Raises:
        DataError: no query has a match in the gallery.
    """
    queries, images = len(comparison.query), len(comparison.gallery)
    size = rows_in_block(comparison.row_bytes, comparison.feature_bytes, threads)
    figures = _Figures.empty(queries)

    def work(rows: Indices) -> MatchRanks:
        return rank_matches(comparison, relevance, rows)

    for rows, matched in over_blocks(work, queries, size, threads):
        figures.fill(matched)
        progress(int(rows[-1]) + 1, queries)
    return figures.summary(card, min(CMC_LENGTH, images))


def default_card(
    query: Embeddings,
    gallery: Embeddings,
    *,
    distance: Distance = "cosine",
    ap_kind: APKind = "hits",
) -> ProtocolCard:
    """Returns a card for two sets: the junk rule their cameras allow, and their counts as ``data``.

    The rule is ``none`` where all queries or all gallery images have unknown cameras.

    Args:
        query: the queries.
        gallery: the gallery.
        distance: ``cosine`` or ``euclidean``.
        ap_kind: ``hits`` or ``trapezoidal``.
    """
    camera_less = any(np.all(part.camids == NO_CAMERA) for part in (query, gallery))
    return ProtocolCard(
        distance=distance,
        junk_rule="none" if camera_less else "same-camera",
        ap_kind=ap_kind,
        data={"query": _counts(query), "gallery": _counts(gallery)},
    )


@dataclass(frozen=True)
class _Figures:
    """Figures of all queries, filled in block by block; NaN and 0 where there is no match."""

    hits: Keys
    trapezoidal: Keys
    penalty: Keys
    first: Indices

    @classmethod
    def empty(cls, queries: int) -> _Figures:
        hits, trapezoidal, penalty = (np.full(queries, np.nan) for _ in range(3))
        return cls(hits, trapezoidal, penalty, np.zeros(queries, dtype=np.int64))

    def fill(self, matched: MatchRanks) -> None:
        if not len(matched.queries):
            return
        ranks, counts = matched.ranks, matched.counts
        self.hits[matched.queries] = metrics.average_precision(ranks, counts)
        trapezoidal = metrics.trapezoidal_average_precision(ranks, counts)
        self.trapezoidal[matched.queries] = trapezoidal
        self.penalty[matched.queries] = metrics.inverse_negative_penalty(ranks, counts)
        self.first[matched.queries] = metrics.first_matches(ranks, counts)

    def summary(self, card: ProtocolCard, length: int) -> Evaluation:
        valid = self.first > 0
        if not valid.any():
            raise DataError(_nothing_to_find(len(valid), card))
        chosen = self.hits if card.ap_kind == "hits" else self.trapezoidal
        return Evaluation(
            card=card,
            mAP=float(chosen[valid].mean()),
            mAP_hits=float(self.hits[valid].mean()),
            mAP_trapezoidal=float(self.trapezoidal[valid].mean()),
            mINP=float(self.penalty[valid].mean()),
            cmc=metrics.cumulative_matching(self.first[valid], length),
            queries=len(valid),
            valid_queries=int(valid.sum()),
            average_precision=chosen,
            first_match=self.first,
        )


def _nothing_to_find(queries: int, card: ProtocolCard) -> str:
    if not queries:
        return "there is no query; give at least one image to search for"
    rule = (
        " from another camera (the same-camera rule leaves out the query's own)"
        if card.junk_rule == "same-camera"
        else ""
    )
    return (
        f"none of the {queries} queries has a gallery image of the same pid{rule}; "
        "check that both sets number persons and cameras alike"
    )


def _counts(embeddings: Embeddings) -> dict[str, int]:
    cameras = embeddings.camids[embeddings.camids != NO_CAMERA]
    return {
        "images": len(embeddings),
        "ids": len(np.unique(embeddings.pids[embeddings.pids != JUNK_PID])),
        "cameras": len(np.unique(cameras)),
        "images_without_camera": len(embeddings) - len(cameras),
        "junk": int(np.count_nonzero(embeddings.pids == JUNK_PID)),
    }
