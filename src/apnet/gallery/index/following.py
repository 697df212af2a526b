"""An index in memory that follows the database, whoever changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from apnet.gallery.engines.engine import Nearest, Wanted
from apnet.gallery.index.exact import ExactIndex
from apnet.gallery.index.graph import Graph
from apnet.gallery.rows import change_numbers, images_wanted, labels_after

if TYPE_CHECKING:
    from apnet.gallery.engines.engine import Engine

EXACT_UP_TO = 200_000
"""Images up to which a search is exact unless it is asked otherwise."""

_READ = 1024
"""Features that are read from the database at once."""


class FollowingIndex:
    """What is searched: all images in memory, or a graph of most of them and the rest in memory."""

    def __init__(self, engine: Engine, feature_dim: int) -> None:
        self._engine = engine
        self._dim = feature_dim
        self._graph = Graph(engine, feature_dim)
        self._all = _Followed(engine, feature_dim, 0)
        self._rest: _Followed | None = None
        self._counted, self._count = (-1, 0), 0

    def nearest(
        self, features: NDArray[np.float32], count: int, wanted: Wanted, exact: bool | None
    ) -> list[Nearest]:
        """Returns the nearest images, see ``Engine.nearest``; inside a view."""
        if exact is None:
            exact = not wanted.everything or not self._is_large()
        if exact or not self._graph.opened():
            index = self._all.brought_up()
            return index.nearest(features, count, self._allowed(index, wanted))
        last = self._graph.last
        if self._rest is None or self._rest.after != last:
            self._rest = _Followed(self._engine, self._dim, last)
        rest = self._rest.brought_up()
        return self._graph.nearest(
            features, count, rest.nearest(features, count, rest.identities > 0)
        )

    def nearest_means(
        self, features: NDArray[np.float32], count: int, wanted: Wanted
    ) -> list[Nearest]:
        """Returns the identities with the nearest mean, see ``Engine.nearest_means``."""
        index = self._all.brought_up()
        return index.nearest_means(features, count, self._allowed(index, wanted))

    def build(self) -> float | None:
        """Builds the graph of a large gallery; returns its measured recall, ``None`` without."""
        with self._engine.view():
            if not self._is_large():
                return None
            index = self._all.brought_up()
            _, edits = change_numbers(self._engine)
        return self._graph.build(index, edits)

    def note(self, exact: bool) -> str:
        """Returns how a search compared."""
        if not exact:
            return f"approximate search, measured recall at 10 {self._graph.recall:.3f}"
        if self._is_large() and not self._graph.opened():
            return "exact search; 'apnet gallery compact' builds an index that is faster"
        return "exact search"

    def forget(self) -> None:
        """Removes what was derived from the features, in memory and on the disk."""
        self._graph.remove()
        self._all = _Followed(self._engine, self._dim, 0)
        self._rest = None

    def disk(self) -> int:
        """Returns the bytes of the graph's file."""
        return self._graph.disk()

    def _is_large(self) -> bool:
        now = change_numbers(self._engine)
        if self._counted != now:  # counting looks at every image
            ((count,),) = self._engine.rows("SELECT COUNT(*) FROM images")
            self._counted, self._count = now, int(count)
        return self._count > EXACT_UP_TO

    def _allowed(self, index: ExactIndex, wanted: Wanted) -> NDArray[np.bool_]:
        if wanted.everything:
            return index.identities > 0
        return np.isin(index.ids, images_wanted(self._engine, wanted))


class _Followed:
    """An exact index of the images with numbers above ``after``, brought up to date on demand."""

    def __init__(self, engine: Engine, feature_dim: int, after: int) -> None:
        self.after = after
        self._engine, self._dim = engine, feature_dim
        self._index = ExactIndex(feature_dim)
        self._seen = (-1, 0)

    def brought_up(self) -> ExactIndex:
        now = change_numbers(self._engine)
        if now == self._seen:
            return self._index
        if now[1] != self._seen[1] and len(self._index):
            self._index.relabel(*labels_after(self._engine, self.after))
        self._load()
        self._seen = now
        return self._index

    def _load(self) -> None:
        last = int(self._index.ids[-1]) if len(self._index) else self.after
        while rows := self._engine.rows(
            "SELECT i.id, i.identity, f.feature FROM images i JOIN features f ON f.image = i.id "
            "WHERE i.id > ? ORDER BY i.id LIMIT ?",
            (last, _READ),
        ):
            features = np.empty((len(rows), self._dim), np.float32)
            for number, row in enumerate(rows):
                features[number] = self._engine.unpack(row[2])
            ids = np.array([row[0] for row in rows], np.int64)
            self._index.extend(ids, np.array([row[1] or 0 for row in rows], np.int64), features)
            last = int(ids[-1])
