"""Search inside PostgreSQL: exact by a scan, approximate by pgvector's HNSW index."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from apnet.gallery.engines.engine import Nearest, Wanted
from apnet.gallery.row_changes import changing
from apnet.gallery.rows import condition_of

if TYPE_CHECKING:
    from apnet.gallery.engines.postgres import PostgresEngine

EXACT_UP_TO = 20_000
"""Images up to which a search is exact unless it is asked otherwise."""

_BUILD_MEMORY = "2GB"  # on the server, for as long as an index is built
_MOST_INDEXED = 4000  # numbers of the longest halfvec that can be indexed
_AT = 10
_SAMPLE = 100
_PROPOSED = 4
_WIDTHS = (64, 128, 256, 512, 1000)
_GOAL = 0.995
_FROM = "FROM features f JOIN images i ON i.id = f.image"


@dataclass(frozen=True)
class IndexFacts:
    """What is noted of the index: the width of its searches, and their measured recall at 10."""

    width: int
    recall: float


class PostgresSearch:
    """The searches of one gallery."""

    def __init__(self, engine: PostgresEngine, feature_dim: int) -> None:
        self._engine, self._dim = engine, feature_dim

    def nearest(
        self, features: NDArray[np.float32], count: int, wanted: Wanted, exact: bool | None
    ) -> list[Nearest]:
        """Returns the nearest images, see ``Engine.nearest``."""
        with self._engine.view():
            facts = None if exact else self._facts()
            if facts is None or (exact is None and not self._is_large()):
                return self._scanned(features, count, wanted)
            return self._by_index(features, count, wanted, facts.width)

    def nearest_means(
        self, features: NDArray[np.float32], count: int, wanted: Wanted
    ) -> list[Nearest]:
        """Returns the identities with the nearest mean, see ``Engine.nearest_means``."""
        condition, values = condition_of(self._engine, wanted)
        statement = (
            "SELECT -1, i.identity, COALESCE(NULLIF(avg(f.feature) <=> ?::vector, 'NaN'), 1) - 1 "
            f"AS apart {_FROM} WHERE {condition} GROUP BY i.identity ORDER BY apart, i.identity "
            "LIMIT ?"
        )
        with self._engine.view():
            return [
                self._found(statement, (self._engine.pack(each), *values, count), count, True)
                for each in features
            ]

    def build(self) -> float | None:
        """Builds the index of a large gallery, see ``Engine.build_index``."""
        self._engine.outside("ANALYZE images, features")
        if not self._is_large() or self._dim > _MOST_INDEXED:
            return None
        # a graph that does not fit into this memory is built many times slower
        self._engine.outside(
            f"SET maintenance_work_mem = '{_BUILD_MEMORY}'",
            "CREATE INDEX IF NOT EXISTS features_hnsw ON features USING hnsw "
            f"((feature::halfvec({self._dim:d})) halfvec_ip_ops)",
            "ALTER INDEX features_hnsw ALTER COLUMN 1 SET STATISTICS 0",
            "RESET maintenance_work_mem",
        )
        facts = self._measured()
        with changing(self._engine):
            self._engine.run("DELETE FROM facts WHERE key = 'graph'")
            value = json.dumps(asdict(facts))
            self._engine.run("INSERT INTO facts VALUES ('graph', ?)", (value,))
        return facts.recall

    def note(self, exact: bool) -> str:
        """Returns how a search compared, see ``Engine.index_note``."""
        facts = self._facts()
        if not exact and facts is not None:
            return f"approximate search, measured recall at 10 {facts.recall:.3f}"
        if self._is_large() and facts is None:
            return "exact search; 'apnet gallery compact' builds an index that is faster"
        return "exact search"

    def _scanned(self, features: NDArray[np.float32], count: int, wanted: Wanted) -> list[Nearest]:
        condition, values = condition_of(self._engine, wanted)
        statement = (
            f"SELECT i.id, i.identity, f.feature <#> ?::vector AS apart {_FROM} "
            f"WHERE {condition} ORDER BY apart, i.id LIMIT ?"
        )
        return [
            self._found(statement, (self._engine.pack(each), *values, count), count, True)
            for each in features
        ]

    def _by_index(
        self, features: NDArray[np.float32], count: int, wanted: Wanted, width: int
    ) -> list[Nearest]:
        for setting in (
            "hnsw.iterative_scan = strict_order",
            f"hnsw.ef_search = {min(max(width, count * _PROPOSED), 1000):d}",
            "enable_seqscan = off",
        ):
            self._engine.run(f"SET LOCAL {setting}")
        condition, values = condition_of(self._engine, wanted)
        half = f"halfvec({self._dim:d})"
        statement = (
            "SELECT id, identity, apart FROM (SELECT i.id, i.identity, "
            f"f.feature <#> ?::vector AS apart {_FROM} WHERE {condition} "
            f"ORDER BY f.feature::{half} <#> ?::{half} LIMIT ?) AS near ORDER BY apart, id "
            "LIMIT ?"
        )
        found = []
        for each in features:
            packed = self._engine.pack(each)
            given = (packed, *values, packed, count * _PROPOSED, count)
            found.append(self._found(statement, given, count, False))
        return found

    def _found(self, statement: str, values: Sequence[Any], count: int, exact: bool) -> Nearest:
        rows = self._engine.rows(statement, values)
        return Nearest(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.int64),
            np.array([-row[2] for row in rows], np.float32),
            len(rows) < count and exact,
            exact,
        )

    def _measured(self) -> IndexFacts:
        """Returns the least width of the search that reaches the goal, with its recall.

        Images of the gallery are searched for; that each finds itself does not count.
        """
        sample = self._engine.rows(
            "SELECT f.image, f.feature FROM features f JOIN images i ON i.id = f.image "
            "WHERE i.identity IS NOT NULL ORDER BY md5(f.image::text) LIMIT ?",
            (_SAMPLE,),
        )
        if not sample:
            return IndexFacts(_WIDTHS[0], 1.0)
        features = np.stack([self._engine.unpack(row[1]) for row in sample])
        own = [int(row[0]) for row in sample]
        right = _others(self._scanned(features, _AT + 1, Wanted()), own)
        facts = IndexFacts(0, 0.0)
        for width in _WIDTHS:
            with self._engine.view():
                found = _others(self._by_index(features, _AT + 1, Wanted(), width), own)
            hits = sum(len(want & got) for want, got in zip(right, found, strict=True))
            facts = IndexFacts(width, hits / max(sum(map(len, right)), 1))
            if facts.recall >= _GOAL:
                break
        return facts

    def _is_large(self) -> bool:
        ((estimate,),) = self._engine.rows(
            "SELECT reltuples FROM pg_class WHERE oid = to_regclass(?)",
            (f'"{self._engine.schema}".images',),
        )
        return float(estimate) > EXACT_UP_TO

    def _facts(self) -> IndexFacts | None:
        rows = self._engine.rows("SELECT value FROM facts WHERE key = 'graph'")
        return IndexFacts(**json.loads(rows[0][0])) if rows else None


def _others(found: list[Nearest], own: list[int]) -> list[set[int]]:
    """Returns the images found for each, without the one that was searched for."""
    return [set(each.images.tolist()) - {image} for each, image in zip(found, own, strict=True)]
