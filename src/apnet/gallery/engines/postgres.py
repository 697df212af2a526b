"""PostgreSQL with pgvector, for galleries that several machines share.

Each gallery is a schema of its own. Features are kept as float32 (``vector``); a large gallery is
searched with an HNSW index of 16-bit copies (``halfvec``), also under filters (iterative scans),
and what the index proposes is compared again in float32.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.errors import GalleryError
from apnet.extras import require
from apnet.gallery.engines.engine import Nearest, Wanted
from apnet.gallery.engines.postgres_address import Address, in_words, read_address
from apnet.gallery.engines.postgres_scrubbing import UNSAMPLED, scrub
from apnet.gallery.engines.postgres_search import PostgresSearch

CONNECTIONS = 8
"""Connections that one program opens at most."""

_WAIT = 30.0


def create(place: str, feature_dim: int) -> PostgresEngine:
    """Makes a schema for a new gallery, and pgvector's types where they are missing.

    Raises:
        GalleryError: there is a gallery of that name, or the database refuses.
    """
    address = read_address(place)
    with address.connected() as connection:
        if _is_there(connection, address):
            raise GalleryError(f"{address.place}: is there already; choose another name after '#'")
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{address.schema}"')
    return PostgresEngine(address, feature_dim)


def connect(place: str) -> PostgresEngine:
    """Connects to a gallery.

    Raises:
        GalleryError: it is not there, or the database cannot be reached.
    """
    address = read_address(place)
    with address.connected() as connection:
        if not _is_there(connection, address):
            raise GalleryError(
                f"{address.place}: no such gallery; make one with 'apnet gallery create'"
            )
        row = connection.execute(
            f"SELECT value FROM \"{address.schema}\".facts WHERE key = 'feature_dim'"
        ).fetchone()
    if row is None or not str(row[0]).isdecimal():
        raise GalleryError(f"{address.place}: damaged: it says no length of features")
    return PostgresEngine(address, int(row[0]))


def _is_there(connection: Any, address: Address) -> bool:
    facts = f'"{address.schema}".facts'
    return connection.execute("SELECT to_regclass(%s)", (facts,)).fetchone()[0] is not None


class PostgresEngine:
    """A gallery's schema in a database; see ``Engine``."""

    def __init__(self, address: Address, feature_dim: int) -> None:
        self.schema, self.place = address.schema, address.place
        self._dim = feature_dim
        self._open = threading.local()
        self._search = PostgresSearch(self, feature_dim)
        self.types: Mapping[str, str] = {
            "number": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
            "key": "BIGINT PRIMARY KEY",
            "real": "DOUBLE PRECISION",
            "bytes": "BYTEA",
            "feature": f"vector({feature_dim:d})",
        }
        self.settings: Sequence[str] = UNSAMPLED
        self._pool = require("psycopg_pool", "postgres").ConnectionPool(
            address.database,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=_WAIT,
            kwargs={"autocommit": True},
            configure=self._configure,
            open=True,
        )

    def _configure(self, connection: Any) -> None:
        connection.execute(f'SET search_path TO "{self.schema}", public')
        require("pgvector.psycopg", "postgres").register_vector(connection)

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        """Yields the connection of the transaction that is open, or one for a statement."""
        with in_words(self.place):
            held = getattr(self._open, "connection", None)
            if held is not None:
                yield held
                return
            with self._pooled() as connection:
                yield connection

    @contextmanager
    def _pooled(self) -> Iterator[Any]:
        """Yields a connection of the pool; where one is cut, the others are checked at once."""
        try:
            with self._pool.connection() as connection:
                yield connection
        except require("psycopg", "postgres").OperationalError:
            self._pool.check()
            raise

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._connection() as connection:
            found: list[tuple[Any, ...]] = connection.execute(_placed(sql), values).fetchall()
            return found

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        with self._connection() as connection:
            return int(connection.execute(_placed(sql), values or None).rowcount)

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.executemany(_placed(sql), list(values))

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        if getattr(self._open, "connection", None) is not None:
            yield
            return
        with in_words(self.place), self._pooled() as connection, connection.transaction():
            connection.execute(begin)
            self._open.connection = connection
            try:
                yield
            finally:
                self._open.connection = None

    @contextmanager
    def change(self) -> Iterator[None]:
        with self._transaction("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"):
            # writers of one gallery take turns
            self.rows("SELECT pg_advisory_xact_lock(hashtext(?))", (f"apnet {self.schema}",))
            yield

    def view(self) -> Any:
        return self._transaction("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def among(self, column: str, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        return f"{column} = ANY(?)", (list(values),)

    def pack(self, feature: NDArray[np.float32]) -> Any:
        return require("pgvector", "postgres").Vector(feature)

    def unpack(self, value: Any) -> NDArray[np.float32]:
        numbers = value if isinstance(value, np.ndarray) else value.to_numpy()
        feature: NDArray[np.float32] = np.asarray(numbers, np.float32)
        return feature

    def nearest(
        self, features: NDArray[np.float32], count: int, wanted: Wanted, exact: bool | None
    ) -> list[Nearest]:
        return self._search.nearest(features, count, wanted, exact)

    def nearest_means(
        self, features: NDArray[np.float32], count: int, wanted: Wanted
    ) -> list[Nearest]:
        return self._search.nearest_means(features, count, wanted)

    def build_index(self) -> float | None:
        return self._search.build()

    def index_note(self, exact: bool) -> str:
        return self._search.note(exact)

    def forget(self) -> None:
        """Keeps the index, which the database keeps up to date by itself."""

    def scrub(self) -> list[str]:
        return scrub(self)

    def outside(self, *statements: str) -> None:
        """Carries statements out that no transaction may hold, one after another."""
        with self._connection() as connection:
            for statement in statements:
                connection.execute(statement)

    def check(self) -> list[str]:
        return []

    def size(self) -> int:
        ((size,),) = self.rows(
            "SELECT SUM(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND "
            "relnamespace = to_regnamespace(?)",
            (self.schema,),
        )
        return int(size or 0)

    def close(self) -> None:
        self._pool.close()


def _placed(sql: str) -> str:
    return sql.replace("?", "%s")
