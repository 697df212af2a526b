"""Explanations: feature strength and Grad-CAM per pyramid level, similarity per position."""

from apnet.explanation.levels import grad_cams, level_maps, likeness, top_class
from apnet.explanation.match import Match, explain_match
from apnet.explanation.verb import Explanation, explain

__all__ = [
    "Explanation",
    "Match",
    "explain",
    "explain_match",
    "grad_cams",
    "level_maps",
    "likeness",
    "top_class",
]
