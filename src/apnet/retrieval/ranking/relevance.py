"""The matches of each query, and the gallery images that are ignored for it (section IV-A)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apnet.results import JunkRule
from apnet.types import JUNK_PID, NO_CAMERA, Embeddings

Indices = NDArray[np.int64]


class Relevance:
    """The matches and the ignored gallery images of every query.

    Ignored are: images of the junk pid; under ``same-camera`` images with the query's pid and
    camera (an unknown camera differs from every other, also from another unknown one); and, where
    both sets have paths, the query itself: gallery images with the query's path.

    Args:
        query: the queries; their features are not used.
        gallery: the gallery, likewise.
        junk_rule: ``same-camera`` or ``none``.
    """

    def __init__(self, query: Embeddings, gallery: Embeddings, junk_rule: JunkRule) -> None:
        self._camids = gallery.camids
        self._query_camids = query.camids
        self._same_camera_is_junk = junk_rule == "same-camera"
        self._order: Indices = np.argsort(gallery.pids, kind="stable").astype(np.int64)
        pids = gallery.pids[self._order]
        self._starts = np.searchsorted(pids, query.pids, side="left")
        self._ends = np.searchsorted(pids, query.pids, side="right")
        self._ends[query.pids == JUNK_PID] = self._starts[query.pids == JUNK_PID]
        self._itself = _same_paths(query, gallery)
        self.junk: Indices = np.flatnonzero(gallery.pids == JUNK_PID)
        """Gallery images that are ignored for every query, ascending."""

    def of(self, row: int) -> tuple[Indices, Indices]:
        """Returns one query's matches, and the images ignored beside ``junk``, ascending."""
        same = self._order[self._starts[row] : self._ends[row]]  # stable: ascending
        itself = self._itself.get(row)
        ignored = np.zeros(len(same), dtype=bool)
        camid = self._query_camids[row]
        if self._same_camera_is_junk and camid != NO_CAMERA:
            ignored |= self._camids[same] == camid
        if itself is None:
            return same[~ignored], same[ignored]
        ignored |= np.isin(same, itself)
        return same[~ignored], np.union1d(same[ignored], itself)


def _same_paths(query: Embeddings, gallery: Embeddings) -> dict[int, Indices]:
    places: dict[str, list[int]] = {path: [] for path in query.paths}
    for column, path in enumerate(gallery.paths):
        if path in places:
            places[path].append(column)
    return {
        row: np.array(places[path], dtype=np.int64)
        for row, path in enumerate(query.paths)
        if path and places[path]
    }
