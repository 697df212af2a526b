"""Retrieval: feature files, ranking, re-ranking, metrics, breakdowns, and the histogram baseline.

Works on arrays and knows no network. Names are imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apnet.retrieval.files.features import load_features, save_features
    from apnet.retrieval.histogram import color_histogram
    from apnet.retrieval.metrics.registry import METRICS, Metric, per_query
    from apnet.retrieval.metrics.tables import evaluation_table
    from apnet.retrieval.metrics.text import format_evaluation, format_evaluations
    from apnet.retrieval.ranking.evaluate import default_card, evaluate
    from apnet.retrieval.ranking.top import Matches, top_matches
    from apnet.retrieval.reranking.evaluate import evaluate_reranked, reranked_distances
    from apnet.retrieval.reranking.settings import Reranking
    from apnet.retrieval.scoring import evaluate_as
    from apnet.retrieval.slices.attributes import ImageAttributes
    from apnet.retrieval.slices.breakdown import Slice, breakdown
    from apnet.retrieval.slices.text import format_breakdown

    Facts = ImageAttributes

_PLACES = {
    "METRICS": "metrics.registry",
    "ImageAttributes": "slices.attributes",
    "Matches": "ranking.top",
    "Metric": "metrics.registry",
    "Reranking": "reranking.settings",
    "Slice": "slices.breakdown",
    "breakdown": "slices.breakdown",
    "color_histogram": "histogram",
    "default_card": "ranking.evaluate",
    "evaluate": "ranking.evaluate",
    "evaluate_as": "scoring",
    "evaluate_reranked": "reranking.evaluate",
    "evaluation_table": "metrics.tables",
    "format_breakdown": "slices.text",
    "format_evaluation": "metrics.text",
    "format_evaluations": "metrics.text",
    "load_features": "files.features",
    "per_query": "metrics.registry",
    "reranked_distances": "reranking.evaluate",
    "save_features": "files.features",
    "top_matches": "ranking.top",
}
_FORMER = {"Facts": "ImageAttributes"}
"""Earlier names, and the present ones."""

__all__ = [
    "METRICS",
    "Facts",
    "ImageAttributes",
    "Matches",
    "Metric",
    "Reranking",
    "Slice",
    "breakdown",
    "color_histogram",
    "default_card",
    "evaluate",
    "evaluate_as",
    "evaluate_reranked",
    "evaluation_table",
    "format_breakdown",
    "format_evaluation",
    "format_evaluations",
    "load_features",
    "per_query",
    "reranked_distances",
    "save_features",
    "top_matches",
]


def __getattr__(name: str) -> Any:
    present = _FORMER.get(name, name)
    if present not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[present]}"), present)


def __dir__() -> list[str]:
    return __all__
