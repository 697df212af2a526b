"""Writes results as files: ``report.html``, which opens offline, and ``metrics.json``."""

from apnet.report.content import (
    AttentionPanel,
    RankedGallery,
    ReportPage,
    SystemResult,
    TrainingCurve,
)
from apnet.report.metrics import write_metrics
from apnet.report.page import write_report

__all__ = [
    "AttentionPanel",
    "RankedGallery",
    "ReportPage",
    "SystemResult",
    "TrainingCurve",
    "write_metrics",
    "write_report",
]
