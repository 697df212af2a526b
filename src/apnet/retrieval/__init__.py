"""Retrieval: ranking, its figures, feature files, the histogram baseline. Arrays, never models."""

from apnet.retrieval.evaluate import default_card, evaluate
from apnet.retrieval.features import load_features, save_features
from apnet.retrieval.histogram import color_histogram
from apnet.retrieval.table import format_evaluation, format_evaluations
from apnet.retrieval.top import Matches, top_matches

__all__ = [
    "Matches",
    "color_histogram",
    "default_card",
    "evaluate",
    "format_evaluation",
    "format_evaluations",
    "load_features",
    "save_features",
    "top_matches",
]
