"""Retrieval: feature files, ranking, re-ranking, metrics, breakdowns, and the histogram baseline.

Works on arrays and knows no network.
"""

from apnet.retrieval.files.features import load_features, save_features
from apnet.retrieval.histogram import color_histogram
from apnet.retrieval.metrics.registry import METRICS, Metric, per_query
from apnet.retrieval.metrics.tables import evaluation_table
from apnet.retrieval.metrics.text import format_evaluation, format_evaluations
from apnet.retrieval.ranking.evaluate import default_card, evaluate
from apnet.retrieval.ranking.top import Matches, top_matches
from apnet.retrieval.reranking.evaluate import evaluate_reranked, reranked_distances
from apnet.retrieval.reranking.settings import Reranking
from apnet.retrieval.slices.attributes import ImageAttributes
from apnet.retrieval.slices.breakdown import Slice, breakdown
from apnet.retrieval.slices.text import format_breakdown

Facts = ImageAttributes
"""Earlier name of ``ImageAttributes``."""

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
