"""One SQLite file with an index in memory, for one machine.

The file is the only truth: the write-ahead log is flushed before a change is acknowledged, and the
index follows the file whenever somebody else has changed it.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.errors import GalleryError
from apnet.files import check_writable, is_file, is_there
from apnet.gallery.engines.engine import Nearest, Wanted
from apnet.gallery.index.following import FollowingIndex

APPLICATION = 0x41504E47
"""Marks a file as a gallery of this package, in SQLite's header."""

WAIT = 60.0
"""Seconds to wait for other programs that write to the file."""

_OLDEST = (3, 35, 0)
_PAGE = 65_536  # the largest: a feature of 1,280 numbers wastes least of it
_JOURNAL_PAGES = 128  # 8 MiB, after which the journal is written into the file
_SIDE_FILES = ("-wal", "-shm")

_SAYINGS = {
    "locked": "another program is writing to it; try again when that has ended",
    "busy": "another program is writing to it; try again when that has ended",
    "readonly": "it cannot be written; change its permissions or those of its folder",
    "full": "the disk is full; free some space",
    "disk I/O": "the disk reports a fault; check the disk, then restore a backup",
    "malformed": "damaged; restore a backup",
    "not a database": "no gallery, or a damaged one; name a file that 'apnet gallery create' made",
    "unable to open": "it cannot be opened; check the name and the permissions of its folder",
    "no such table": "damaged: a table is missing; restore a backup",
}


def create(place: str, feature_dim: int) -> SqliteEngine:
    """Makes a new file; one whose making was interrupted is taken.

    Raises:
        GalleryError: something else is there already, or the file cannot be written.
    """
    path = Path(place)
    there = is_there(path)
    if there and not (is_file(path) and _unfinished(path)):
        raise GalleryError(f"{path}: is there already; name a new file")
    check_writable(path)
    connection = _connect(path)
    with _in_words(place):
        connection.execute(f"PRAGMA page_size = {_PAGE:d}")
        connection.execute(f"PRAGMA application_id = {APPLICATION:d}")
        connection.execute("PRAGMA journal_mode = WAL")
    return SqliteEngine(path, connection, feature_dim)


def _unfinished(path: Path) -> bool:
    """Whether a file is empty, or a gallery that was never filled with tables."""
    if not path.stat().st_size:
        return True
    connection = _connect(path)
    try:
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()
    return mark == APPLICATION and not tables


def connect(place: str) -> SqliteEngine:
    """Opens a file.

    Raises:
        GalleryError: it is not there, or is no gallery.
    """
    path = Path(place)
    if not is_file(path):
        raise GalleryError(f"{path}: no such gallery; make one with 'apnet gallery create'")
    connection = _connect(path)
    with _in_words(place):
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        if mark != APPLICATION:
            connection.close()
            raise GalleryError(
                f"{path}: no gallery of apnet; name a file that 'apnet gallery create' made"
            )
        rows = connection.execute("SELECT value FROM facts WHERE key = 'feature_dim'").fetchall()
    if not rows or not str(rows[0][0]).isdecimal():
        connection.close()
        raise GalleryError(f"{path}: damaged: it says no length of features; restore a backup")
    return SqliteEngine(path, connection, int(rows[0][0]))


def _connect(path: Path) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < _OLDEST:
        raise GalleryError(
            f"this Python has SQLite {sqlite3.sqlite_version}; a gallery needs 3.35 or newer"
        )
    with _in_words(str(path)):
        connection = sqlite3.connect(
            path, timeout=WAIT, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_JOURNAL_PAGES:d}")
    return connection


@contextmanager
def _in_words(place: str) -> Iterator[None]:
    """Turns an error of SQLite into one that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        words = next((say for part, say in _SAYINGS.items() if part in text), None)
        raise GalleryError(f"{place}: {words or f'{text}; restore a backup'}") from error
    except OverflowError:
        raise GalleryError(f"{place}: a number is too large for the gallery") from None


class SqliteEngine:
    """A gallery's file, open; see ``Engine``."""

    types: Mapping[str, str] = {
        "number": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "key": "INTEGER PRIMARY KEY",
        "real": "REAL",
        "bytes": "BLOB",
        "feature": "BLOB",
    }
    settings: Sequence[str] = ()

    def __init__(self, path: Path, connection: sqlite3.Connection, feature_dim: int) -> None:
        self.place = str(path)
        self._path = path
        self._connection = connection
        self._dim = feature_dim
        self._lock = threading.RLock()
        self._index = FollowingIndex(self, feature_dim)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock, _in_words(self.place):
            return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        with self._lock, _in_words(self.place):
            return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        with self._lock, _in_words(self.place):
            self._connection.executemany(sql, values)

    def change(self) -> _Transaction:
        return _Transaction(self._connection, self._lock, self.place, "IMMEDIATE")

    def view(self) -> _Transaction:
        return _Transaction(self._connection, self._lock, self.place, "DEFERRED")

    def among(self, column: str, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        return f"{column} IN (SELECT value FROM json_each(?))", (json.dumps(list(values)),)

    def pack(self, feature: NDArray[np.float32]) -> bytes:
        return feature.astype("<f4", copy=False).tobytes()

    def unpack(self, value: Any) -> NDArray[np.float32]:
        if not isinstance(value, bytes) or len(value) != 4 * self._dim:
            raise GalleryError(f"{self.place}: damaged: a feature is cut; restore a backup")
        return np.frombuffer(value, "<f4")

    def nearest(
        self, features: NDArray[np.float32], count: int, wanted: Wanted, exact: bool | None
    ) -> list[Nearest]:
        with self._lock, self.view():
            return self._index.nearest(features, count, wanted, exact)

    def nearest_means(
        self, features: NDArray[np.float32], count: int, wanted: Wanted
    ) -> list[Nearest]:
        with self._lock, self.view():
            return self._index.nearest_means(features, count, wanted)

    def build_index(self) -> float | None:
        return self._index.build()

    def index_note(self, exact: bool) -> str:
        return self._index.note(exact)

    def forget(self) -> None:
        self._index.forget()

    def scrub(self) -> list[str]:
        """Writes the file anew without free space, and empties the journal."""
        self._index.forget()
        with self._lock, _in_words(self.place):
            self._connection.execute("VACUUM")
            end = time.monotonic() + WAIT
            while self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > end:
                    raise GalleryError(
                        f"{self.place}: its journal still holds what was deleted, since another "
                        "program is reading; end it and run 'apnet gallery compact'"
                    )
                time.sleep(0.05)
        return []

    def check(self) -> list[str]:
        found = [str(row[0]) for row in self.rows("PRAGMA integrity_check(10)")]
        broken = self.rows("PRAGMA foreign_key_check")
        return [line for line in found if line != "ok"] + [
            f"{len(broken):,} rows belong to an image or identity that is not there"
        ] * bool(broken)

    def size(self) -> int:
        files = [self._path, *(Path(self.place + each) for each in _SIDE_FILES)]
        return sum(each.stat().st_size for each in files if each.exists()) + self._index.disk()

    def close(self) -> None:
        with self._lock:
            self._connection.close()


class _Transaction:
    """One transaction of a connection; inside another one it is part of that."""

    def __init__(
        self, connection: sqlite3.Connection, lock: threading.RLock, place: str, kind: str
    ) -> None:
        self._connection, self._lock = connection, lock
        self._place, self._begin = place, f"BEGIN {kind}"
        self._inner = False

    def __enter__(self) -> None:
        self._lock.acquire()
        self._inner = self._connection.in_transaction
        if self._inner:
            return
        try:
            with _in_words(self._place):
                self._connection.execute(self._begin)
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if not self._inner:
                with _in_words(self._place):
                    self._end(kind is None)
        finally:
            self._lock.release()

    def _end(self, good: bool) -> None:
        try:
            if good:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
