"""A gallery of people who are recognised again: lasting, shared, and able to forget."""

from apnet.gallery.adding import AddResult
from apnet.gallery.answers import UNKNOWN, Answer, Match
from apnet.gallery.filters import Filter
from apnet.gallery.gallery import Gallery
from apnet.gallery.grouping import Group, write_proposal
from apnet.gallery.records import AuditLine, GalleryFacts, HeldImage, Identity
from apnet.gallery.track_scores import score_assignments
from apnet.gallery.track_tables import Assignment, write_assignments

__all__ = [
    "UNKNOWN",
    "AddResult",
    "Answer",
    "Assignment",
    "AuditLine",
    "Filter",
    "Gallery",
    "GalleryFacts",
    "Group",
    "HeldImage",
    "Identity",
    "Match",
    "score_assignments",
    "write_assignments",
    "write_proposal",
]
