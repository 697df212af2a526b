"""Why a network answers as it does: maps per pyramid level, Grad-CAM, what a match is made of."""

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
