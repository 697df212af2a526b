"""Evaluation: one verb for networks, checkpoints, runs and features; the histogram baseline."""

from apnet.evaluation.network import (
    Protocol,
    break_down,
    evaluate_histogram,
    evaluate_network,
    split_embeddings,
)
from apnet.evaluation.verb import Measured, evaluate, evaluate_checkpoint, measure

__all__ = [
    "Measured",
    "Protocol",
    "break_down",
    "evaluate",
    "evaluate_checkpoint",
    "evaluate_histogram",
    "evaluate_network",
    "measure",
    "split_embeddings",
]
