"""Evaluating features under a protocol card, re-ranked or not."""

from __future__ import annotations

from apnet.progress import Progress, silent
from apnet.results import Evaluation, ProtocolCard
from apnet.retrieval.ranking.evaluate import evaluate
from apnet.retrieval.reranking.settings import Reranking
from apnet.types import Embeddings


def evaluate_as(
    query: Embeddings,
    gallery: Embeddings,
    *,
    card: ProtocolCard,
    reranking: Reranking | None,
    device: str = "auto",
    progress: Progress = silent,
) -> Evaluation:
    """Evaluates the plain ranking, or the re-ranked one.

    Args:
        query: the queries.
        gallery: the gallery.
        card: the protocol.
        reranking: settings of k-reciprocal re-ranking; ``None``: the plain ranking.
        device: where the plain ranking is screened, see ``evaluate``.
        progress: as for ``evaluate`` and ``evaluate_reranked``.

    Raises:
        ConfigError: the device is not available, or the settings do not fit.
        DataError: no query has a match.
    """
    if reranking is None:
        return evaluate(query, gallery, card=card, device=device, progress=progress)
    from apnet.retrieval.reranking.evaluate import evaluate_reranked

    return evaluate_reranked(query, gallery, card=card, settings=reranking, progress=progress)
