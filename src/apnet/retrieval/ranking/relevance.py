"""Which gallery images a query should find, and which do not count for it (section IV-A)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apnet.results import JunkRule
from apnet.types import JUNK_PID, NO_CAMERA, Embeddings

Indices = NDArray[np.int64]


class Relevance:
    """The matches and the left-out gallery images of every query.

    Left out are images of the junk pid, under ``same-camera`` those of the query's pid and camera
    (an unknown camera equals none, not even another unknown one), and under both rules the query
    itself: a gallery image with the query's path, where both sets name their files.

    Args:
        query: the queries; features are not looked at.
        gallery: the gallery, likewise.
        junk_rule: ``same-camera`` or ``none``.
    """

    def __init__(self, query: Embeddings, gallery: Embeddings, junk_rule: JunkRule) -> None:
        self._camids = gallery.camids
        self._query_camids = query.camids
        self._cameras_count = junk_rule == "same-camera"
        self._order: Indices = np.argsort(gallery.pids, kind="stable").astype(np.int64)
        pids = gallery.pids[self._order]
        self._starts = np.searchsorted(pids, query.pids, side="left")
        self._ends = np.searchsorted(pids, query.pids, side="right")
        self._ends[query.pids == JUNK_PID] = self._starts[query.pids == JUNK_PID]
        self._selves = _same_paths(query, gallery)
        self.junk: Indices = np.flatnonzero(gallery.pids == JUNK_PID)
        """Gallery images that are left out for every query, in gallery order."""

    def of(self, row: int) -> tuple[Indices, Indices]:
        """Returns one query's matches and what is left out beside ``junk``, in gallery order."""
        same = self._order[self._starts[row] : self._ends[row]]  # stable: ascending
        selves = self._selves.get(row)
        out = np.zeros(len(same), dtype=bool)
        camid = self._query_camids[row]
        if self._cameras_count and camid != NO_CAMERA:
            out |= self._camids[same] == camid
        if selves is None:
            return same[~out], same[out]
        out |= np.isin(same, selves)
        return same[~out], np.union1d(same[out], selves)


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
