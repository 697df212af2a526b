"""Single-query evaluation (section IV-A): from features to metrics with their protocol."""

from __future__ import annotations

import numpy as np

from apnet.errors import DataError
from apnet.progress import Progress, silent
from apnet.results import APKind, Distance, Evaluation, ProtocolCard
from apnet.retrieval.foregone import foregone
from apnet.retrieval.metrics.formulas import cumulative_matching, first_matches
from apnet.retrieval.metrics.registry import METRICS
from apnet.retrieval.ranking.blocks import default_threads, over_blocks, rows_in_block
from apnet.retrieval.ranking.comparison import Comparison
from apnet.retrieval.ranking.ranks import MatchRanks, rank_matches
from apnet.retrieval.ranking.relevance import Relevance
from apnet.retrieval.ranking.scorer import Indices, Scorer
from apnet.types import JUNK_PID, NO_CAMERA, Embeddings

CMC_LENGTH = 50
"""Length of the CMC curve; shorter for smaller galleries."""


def evaluate(
    query: Embeddings,
    gallery: Embeddings,
    *,
    card: ProtocolCard,
    threads: int | None = None,
    device: str = "auto",
    progress: Progress = silent,
) -> Evaluation:
    """Returns the metrics of every query's exact ranking of the gallery.

    Ignored for a query are gallery images with ``JUNK_PID``; under the card's ``same-camera`` rule
    those with the query's pid and camera, where an unknown camera differs from every other; and,
    where both sets have paths, the query's own file, so that a set can be evaluated against itself.
    Queries without a match are counted but do not enter the means. Images at equal distance stay in
    gallery order. A zero vector has cosine similarity 0 with everything.

    The ranks are those of float64 arithmetic on every device. The memory beyond the features is at
    most 16 MiB or a tenth of the features, whichever is more, plus some 10 MiB per thread, and half
    the gallery's features where it is screened in bf16, or a quarter in 8-bit integers.

    Args:
        query: Q queries.
        gallery: the gallery.
        card: the protocol; its distance, junk rule and AP kind are used, the rest is passed on.
        threads: blocks of queries processed at once; by default the number of cores, at most 2.
        device: how to screen: ``auto`` (whatever is fastest on these features), ``numpy`` (not:
            float32 throughout), ``int8`` (8-bit integers on the processor), or a torch device (in
            bf16). The metrics do not depend on it.
        progress: called with (queries done, Q).

    Raises:
        DataError: the dimensions differ, or no query has a match in the gallery.
        ConfigError: the device is not available.
    """
    threads = threads or default_threads()
    relevance = Relevance(query, gallery, card.junk_rule)
    comparison = Comparison(
        query.features, gallery.features, card.distance, device, lambda row: relevance.of(row)[0]
    )
    return evaluate_scorer(comparison, relevance, card, threads, progress)


def evaluate_scorer(
    scorer: Scorer,
    relevance: Relevance,
    card: ProtocolCard,
    threads: int,
    progress: Progress,
) -> Evaluation:
    """Returns the metrics of the ranking by any scorer, as ``evaluate`` does for features.

    Args:
        scorer: of Q queries with a gallery.
        relevance: of the same sets.
        card: the protocol that both follow.
        threads: blocks of queries processed at once.
        progress: called with (queries done, Q).

    Raises:
        DataError: no query has a match in the gallery.
    """
    queries, images = scorer.queries, scorer.images
    size = rows_in_block(scorer.row_bytes, scorer.feature_bytes, threads)
    figures = _Figures(queries)

    def work(rows: Indices) -> MatchRanks:
        return rank_matches(scorer, relevance, rows)

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
    """Returns a card for two sets: the junk rule that their cameras allow, their counts, and notes.

    The junk rule is ``none`` where all queries or all gallery images have unknown cameras.

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
        data={
            "query": _counts(query),
            "gallery": _counts(gallery),
            **({"notes": notes} if (notes := list(foregone(query, gallery))) else {}),
        },
    )


class _Figures:
    """Values of all queries, filled block by block; NaN and 0 where a query has no match."""

    def __init__(self, queries: int) -> None:
        self._values = {key: np.full(queries, np.nan) for key in METRICS}
        self._first = np.zeros(queries, dtype=np.int64)

    def fill(self, matched: MatchRanks) -> None:
        """Computes every metric of one block of queries."""
        queries, ranks, counts = matched.queries, matched.ranks, matched.counts
        if not len(queries):
            return
        for key, values in self._values.items():
            values[queries] = METRICS[key].formula(ranks, counts)
        self._first[queries] = first_matches(ranks, counts)

    def summary(self, card: ProtocolCard, length: int) -> Evaluation:
        """Averages over the valid queries; the CMC has ``length`` ranks."""
        valid = self._first > 0
        if not valid.any():
            raise DataError(_nothing_to_find(len(valid), card))
        return Evaluation(
            card=card,
            values={key: float(each[valid].mean()) for key, each in self._values.items()},
            cmc=cumulative_matching(self._first[valid], length),
            queries=len(valid),
            valid_queries=int(valid.sum()),
            average_precision=self._values[card.ap_metric],
            first_match=self._first,
        )


def _nothing_to_find(queries: int, card: ProtocolCard) -> str:
    if not queries:
        return "there is no query; give at least one image to search for"
    rule = (
        " from another camera (the same-camera rule ignores the query's own)"
        if card.junk_rule == "same-camera"
        else ""
    )
    return (
        f"none of the {queries} queries has a gallery image of the same pid{rule}; "
        "check that both sets number persons and cameras alike"
    )


def _counts(embeddings: Embeddings) -> dict[str, int]:
    cameras = embeddings.camids[embeddings.camids != NO_CAMERA]
    persons = embeddings.pids[embeddings.pids != JUNK_PID]
    return {
        "images": len(embeddings),
        "ids": len(set(persons.tolist())),
        "cameras": len(set(cameras.tolist())),
        "images_without_camera": len(embeddings) - len(cameras),
        "junk": int(np.count_nonzero(embeddings.pids == JUNK_PID)),
    }
