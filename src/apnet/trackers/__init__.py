"""Appearance features for trackers: one object with the calls that they make."""

from apnet.trackers.distance import reid_distance
from apnet.trackers.embedder import Embedder

__all__ = ["Embedder", "reid_distance"]
