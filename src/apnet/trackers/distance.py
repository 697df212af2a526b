"""How far apart two tracks look, for norfair."""

from __future__ import annotations

from typing import Any

import numpy as np

NOTHING_IN_COMMON = 2.0
"""The greatest cosine distance, for tracks without a feature."""


def reid_distance(first: Any, second: Any) -> float:
    """Returns the least cosine distance, from 0 to 2, between any features of two tracks.

    It is meant for norfair's ``Tracker(reid_distance_function=...)``, which calls it with the new
    and the lost track.

    Args:
        first: a track, with ``past_detections`` and ``last_detection``, each with ``embedding``,
            a vector of unit length or ``None``.
        second: the other.
    """
    features = [_features(each) for each in (first, second)]
    if not all(len(each) for each in features):
        return NOTHING_IN_COMMON
    return float(1 - np.max(features[0] @ features[1].T))


def _features(track: Any) -> Any:
    """Returns the features that a track keeps, (n, D)."""
    detections = [*(track.past_detections or ()), track.last_detection]
    found = [each.embedding for each in detections if each.embedding is not None]
    return np.asarray(found)
