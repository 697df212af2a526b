"""The tables of a gallery, the same in every database, and how older ones are migrated."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from apnet.errors import GalleryError
from apnet.gallery.engines.engine import Engine

VERSION = 1
"""Of the tables; a gallery of a newer version is refused."""

TABLES = (
    "CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE identities (
        id {number}, name TEXT NOT NULL UNIQUE, metadata TEXT NOT NULL, created {real} NOT NULL)""",
    """CREATE TABLE images (
        id {number}, identity BIGINT REFERENCES identities (id) ON DELETE CASCADE,
        camera TEXT NOT NULL, time {real}, added {real} NOT NULL, source TEXT NOT NULL,
        digest {bytes} NOT NULL UNIQUE)""",
    "CREATE INDEX images_identity ON images (identity)",
    """CREATE TABLE features (
        image {key} REFERENCES images (id) ON DELETE CASCADE, feature {feature} NOT NULL)""",
    """CREATE TABLE thumbnails (
        image {key} REFERENCES images (id) ON DELETE CASCADE, picture {bytes} NOT NULL)""",
    """CREATE TABLE audit (
        id {number}, time {real} NOT NULL, person TEXT NOT NULL, action TEXT NOT NULL,
        count BIGINT NOT NULL, identity BIGINT)""",
)
"""Statements that make the tables; names in braces are the engine's types."""

MIGRATIONS: Mapping[int, Callable[[Engine], None]] = {}
"""What brings a gallery from the version before a number to that number."""


def make_tables(engine: Engine) -> None:
    """Makes the tables of this version, inside a change."""
    for statement in TABLES:
        engine.run(statement.format_map(engine.types))
    for statement in engine.settings:
        engine.run(statement)
    engine.run("INSERT INTO facts VALUES ('version', ?)", (str(VERSION),))
    engine.run("INSERT INTO facts VALUES ('revision', '0')")
    engine.run("INSERT INTO facts VALUES ('edits', '0')")


def bring_up_to_date(engine: Engine) -> None:
    """Applies the migrations that a gallery lacks, all or none.

    Raises:
        GalleryError: it is of a newer version, or says no version.
    """
    found = _version(engine)
    if found == VERSION:
        return
    with engine.change():
        for number in range(_version(engine) + 1, VERSION + 1):
            MIGRATIONS[number](engine)
        engine.run("UPDATE facts SET value = ? WHERE key = 'version'", (str(VERSION),))


def _version(engine: Engine) -> int:
    rows = engine.rows("SELECT value FROM facts WHERE key = 'version'")
    text = str(rows[0][0]) if rows else ""
    if not text.isdecimal() or not text.isascii() or len(text) > 9:
        raise GalleryError(f"{engine.place}: damaged: it says no version; restore a backup")
    if int(text) > VERSION:
        raise GalleryError(
            f"{engine.place}: of version {int(text)}, made by a newer version of apnet; this "
            f"version reads galleries up to {VERSION}: update apnet"
        )
    return int(text)
