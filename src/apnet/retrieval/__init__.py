"""Retrieval: ranking, its figures, feature files, the histogram baseline. Arrays, never models."""

from apnet.retrieval.files.features import load_features, save_features
from apnet.retrieval.histogram import color_histogram
from apnet.retrieval.metrics.breakdown import Facts, Slice, breakdown
from apnet.retrieval.metrics.breakdown_table import format_breakdown
from apnet.retrieval.metrics.table import format_evaluation, format_evaluations
from apnet.retrieval.ranking.evaluate import default_card, evaluate
from apnet.retrieval.ranking.top import Matches, top_matches
from apnet.retrieval.reranking.comparison import Reranking
from apnet.retrieval.reranking.evaluate import evaluate_reranked, reranked_distances

__all__ = [
    "Facts",
    "Matches",
    "Reranking",
    "Slice",
    "breakdown",
    "color_histogram",
    "default_card",
    "evaluate",
    "evaluate_reranked",
    "format_breakdown",
    "format_evaluation",
    "format_evaluations",
    "load_features",
    "reranked_distances",
    "save_features",
    "top_matches",
]
