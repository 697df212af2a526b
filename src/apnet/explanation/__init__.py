"""Explanations: feature strength and Grad-CAM per pyramid level, similarity per position."""

from apnet.explanation.files import Explained, explain_files
from apnet.explanation.levels import grad_cams, level_maps, likeness, top_class
from apnet.explanation.match import Match, explain_match

__all__ = [
    "Explained",
    "Match",
    "explain_files",
    "explain_match",
    "grad_cams",
    "level_maps",
    "likeness",
    "top_class",
]
