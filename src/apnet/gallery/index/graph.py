"""Approximate search of a large gallery: a graph (HNSW) of groups of images, kept in a file.

A group is a few images of one identity; the graph holds the mean of each. The images of the groups
nearest to a query are compared in 8 bits, and the best of those with their full features, so that
similarities are exact; what may be missed is measured when it is built. The graph holds means
projected to the directions that keep most of their products. Images that are added later are
searched exactly beside it until it is built anew.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from apnet.errors import GalleryError
from apnet.extras import require
from apnet.files import atomic_write, is_file, parse_json
from apnet.gallery.engines.engine import Nearest
from apnet.gallery.index.exact import BLOCK, ExactIndex
from apnet.gallery.index.groups import Groups, grouped
from apnet.gallery.row_changes import changing
from apnet.gallery.rows import change_numbers, labelled_features

if TYPE_CHECKING:
    from apnet.gallery.engines.engine import Engine

SUFFIX = "-hnsw"
"""Of the graph's file, after the gallery's name."""

GOAL = 0.995
"""Recall at 10 of the gallery's own images that the width of the search is chosen for.

Images that are not in the gallery are found a little less often, since no mean holds them.
"""

_PROJECTED = 512
_LINKS = 32
_BUILD_WIDTH = 120
_PROPOSED = 3
_WIDTHS = (8, 16, 32, 48, 64, 96, 128, 160, 192, 256, 384, 512, 640)
_SAMPLE = 200
_AT = 10


@dataclass(frozen=True)
class GraphFacts:
    """What the gallery knows of its graph's file: digest, last image in it, width, recall."""

    sha256: str
    last: int
    width: int
    recall: float


class Graph:
    """The graph of one gallery, opened when it is first needed."""

    def __init__(self, engine: Engine, feature_dim: int) -> None:
        self._engine, self._dim = engine, feature_dim
        self._path = Path(engine.place + SUFFIX)
        self._facts: GraphFacts | None = None
        self._index: Any = None

    @property
    def recall(self) -> float:
        """The recall at 10 that was measured when it was built."""
        assert self._facts is not None
        return self._facts.recall

    @property
    def last(self) -> int:
        """The number of the last image in it."""
        assert self._facts is not None
        return self._facts.last

    def opened(self) -> bool:
        """Returns whether there is a graph that belongs to the gallery as it is; opens it."""
        facts = self._noted()
        if facts is None or not is_file(self._path):
            return False
        if facts != self._facts:
            data = self._path.read_bytes()
            if hashlib.sha256(data).hexdigest() != facts.sha256:
                return False
            faiss = require("faiss", "gallery")
            self._index = faiss.deserialize_index(np.frombuffer(data, np.uint8))
            self._facts = facts
        return True

    def nearest(
        self, features: NDArray[np.float32], count: int, rest: list[Nearest]
    ) -> list[Nearest]:
        """Returns the nearest images of the graph and of the rest, which was searched exactly."""
        assert self._facts is not None
        return self._searched(features, count, rest, max(self._facts.width, count))

    def _searched(
        self, features: NDArray[np.float32], count: int, rest: list[Nearest], width: int
    ) -> list[Nearest]:
        proposed = self._proposed(features, _PROPOSED * count, width)
        return [
            self._compared(feature, ids[ids >= 0], count, beside)
            for feature, ids, beside in zip(features, proposed, rest, strict=True)
        ]

    def _proposed(self, features: NDArray[np.float32], count: int, width: int) -> NDArray[np.int64]:
        """Returns the images nearest in 8 bits among those of the ``width`` nearest groups."""
        faiss = require("faiss", "gallery")
        self._index.nprobe = min(width, self._index.nlist)
        projected = faiss.downcast_index(self._index.quantizer)
        faiss.downcast_index(projected.index).hnsw.efSearch = width
        threads = faiss.omp_get_max_threads()
        if len(features) == 1:  # waking other threads takes longer than one search
            faiss.omp_set_num_threads(1)
        try:
            ids: NDArray[np.int64] = self._index.search(np.ascontiguousarray(features), count)[1]
        finally:
            faiss.omp_set_num_threads(threads)
        return ids

    def _compared(
        self, feature: NDArray[np.float32], ids: NDArray[np.int64], count: int, rest: Nearest
    ) -> Nearest:
        """Compares images with their full features, where they are still there."""
        images, identities, features = labelled_features(self._engine, ids.tolist(), self._dim)
        line = np.concatenate([features @ feature, rest.similarities])
        order = np.argsort(-line, kind="stable")[:count]
        return Nearest(
            np.concatenate([images, rest.images])[order],
            np.concatenate([identities, rest.identities])[order],
            line[order],
            complete=False,
            exact=False,
        )

    def build(self, index: ExactIndex, edits: int) -> float:
        """Builds the graph of an index's images and writes it; returns its measured recall.

        Memory: a byte per number of a feature, twice while the file is written, the means of the
        groups, and about 2,400 bytes more per group.

        Args:
            index: of all images.
            edits: how many changes had touched them by then, see ``change_numbers``.

        Raises:
            GalleryError: another program removed or named images in the meantime.
        """
        faiss = require("faiss", "gallery")
        groups = grouped(index)
        if not len(groups.means):
            return 1.0
        self._facts, self._index = None, _indexed(faiss, index, groups)
        data = faiss.serialize_index(self._index)
        width, recall = self._measured(index)
        digest = hashlib.sha256(data.data).hexdigest()
        with changing(self._engine):
            if change_numbers(self._engine)[1] != edits:  # the file would keep what was erased
                raise GalleryError(
                    f"{self._engine.place}: images were removed or named while the index was "
                    "built; run 'apnet gallery compact' again"
                )
            with atomic_write(self._path) as part:
                part.write_bytes(data.data)
            self._facts = GraphFacts(digest, int(index.ids[-1]), width, recall)
            self._engine.run("DELETE FROM facts WHERE key = 'graph'")
            value = json.dumps(asdict(self._facts))
            self._engine.run("INSERT INTO facts VALUES ('graph', ?)", (value,))
        return recall

    def _measured(self, index: ExactIndex) -> tuple[int, float]:
        """Returns the least width of the search that reaches the goal, and its recall at 10.

        Images of the gallery are searched for; that each finds itself does not count.
        """
        known = index.identities > 0
        rows = np.flatnonzero(known)[:: max(int(known.sum()) // _SAMPLE, 1)]
        features = index.taken(rows)
        right = _others(index.nearest(features, _AT + 1, known), index.ids[rows])
        nothing = [each.first(0) for each in index.nearest(features, 1, known)]
        recall = 1.0
        for width in _WIDTHS:
            found = _others(self._searched(features, _AT + 1, nothing, width), index.ids[rows])
            hits = sum(len(want & got) for want, got in zip(right, found, strict=True))
            recall = hits / max(sum(map(len, right)), 1)
            if recall >= GOAL:
                break
        return width, recall

    def remove(self) -> None:
        """Deletes the file and forgets the graph."""
        self._path.unlink(missing_ok=True)
        self._facts = self._index = None

    def disk(self) -> int:
        """Returns the bytes of the file."""
        return self._path.stat().st_size if is_file(self._path) else 0

    def _noted(self) -> GraphFacts | None:
        rows = self._engine.rows("SELECT value FROM facts WHERE key = 'graph'")
        if not rows:
            return None
        remedy = "run 'apnet gallery compact'"
        return parse_json(rows[0][0], GraphFacts, self._engine.place, remedy)


def _indexed(faiss: Any, index: ExactIndex, groups: Groups) -> Any:
    """Returns lists of images in 8 bits, one per group, found through a graph of the groups."""
    dim = index.feature_dim
    projection = _projection(faiss, groups.means)
    graph = faiss.IndexHNSWFlat(projection.d_out, _LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = _BUILD_WIDTH
    graph.add(projection.apply(groups.means))
    projected = faiss.IndexPreTransform(projection, graph)
    kind = faiss.ScalarQuantizer.QT_8bit
    lists = faiss.IndexIVFScalarQuantizer(
        projected, dim, graph.ntotal, kind, faiss.METRIC_INNER_PRODUCT, False
    )
    projected.own_fields = lists.own_fields = True
    for part_of_it in (projection, graph, projected):
        part_of_it.this.disown()
    for start in range(0, len(groups.rows), BLOCK):
        part = slice(start, start + BLOCK)
        features = index.taken(groups.rows[part])
        if not start:
            lists.train(features)
        ids, places = index.ids[groups.rows[part]], groups.places[part]
        pointers = map(faiss.swig_ptr, (features, ids, places))
        lists.add_core(len(features), *pointers)
    return lists


def _projection(faiss: Any, means: NDArray[np.float32]) -> Any:
    """Returns the projection of features (N, D) that keeps most of their inner products."""
    _, directions = np.linalg.eigh((means.T @ means).astype(np.float64))  # ascending
    chosen = directions[:, ::-1][:, :_PROJECTED].T.astype(np.float32)
    projection = faiss.LinearTransform(means.shape[1], len(chosen), False)
    faiss.copy_array_to_vector(np.ascontiguousarray(chosen).ravel(), projection.A)
    projection.is_trained = True
    return projection


def _others(found: list[Nearest], own: NDArray[np.int64]) -> list[set[int]]:
    """Returns the images found for each, without the one that was searched for."""
    return [
        set(each.images.tolist()) - {int(number)} for each, number in zip(found, own, strict=True)
    ]
