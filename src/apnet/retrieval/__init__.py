"""Retrieval: ranking, its figures, feature files, the histogram baseline. Arrays, never models."""

from apnet.retrieval.breakdown import Facts, Slice, breakdown
from apnet.retrieval.breakdown_table import format_breakdown
from apnet.retrieval.evaluate import default_card, evaluate
from apnet.retrieval.features import load_features, save_features
from apnet.retrieval.histogram import color_histogram
from apnet.retrieval.reranking import evaluate_reranked, reranked_distances
from apnet.retrieval.reranking_comparison import Reranking
from apnet.retrieval.table import format_evaluation, format_evaluations
from apnet.retrieval.top import Matches, top_matches

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
