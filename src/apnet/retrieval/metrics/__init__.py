"""Retrieval metrics, their breakdown, and their tables."""

from apnet.retrieval.metrics.registry import METRICS, Metric, per_query

__all__ = ["METRICS", "Metric", "per_query"]
