"""Explanations: feature strength and Grad-CAM per pyramid level, similarity per position."""

from apnet.explanation.levels import (
    RelativeMaps,
    grad_cams,
    level_maps,
    likeness,
    relative,
    top_class,
)
from apnet.explanation.match import Match, explain_match
from apnet.explanation.verb import Explanation, explain

__all__ = [
    "Explanation",
    "Match",
    "RelativeMaps",
    "explain",
    "explain_match",
    "grad_cams",
    "level_maps",
    "likeness",
    "relative",
    "top_class",
]
