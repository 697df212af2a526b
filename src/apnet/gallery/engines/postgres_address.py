"""Where a gallery is in PostgreSQL, one connection to it, and its errors in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urldefrag

from apnet.errors import GalleryError
from apnet.extras import require

_NAME = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,50}", re.ASCII)
_SECONDS = 10


@dataclass(frozen=True)
class Address:
    """A gallery in a database.

    Attributes:
        database: how to connect, with the password.
        schema: its name.
        place: for messages, without the password.
    """

    database: str
    schema: str
    place: str

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """Yields a connection of its own, whose errors are in words."""
        psycopg = require("psycopg", "postgres")
        with (
            in_words(self.place),
            psycopg.connect(self.database, connect_timeout=_SECONDS, autocommit=True) as connection,
        ):
            yield connection


def read_address(place: str) -> Address:
    """Reads ``postgresql://USER@HOST/DATABASE#NAME``.

    Raises:
        GalleryError: it is no address, or the name cannot be used.
    """
    psycopg = require("psycopg", "postgres")
    database, name = urldefrag(place)
    schema = unquote(name) or "apnet"
    if not _NAME.fullmatch(schema):
        shown = "" if "@" in schema else f"is {schema[:60]!r}; "  # the end of a password with '#'
        raise GalleryError(
            f"the gallery's name after '#' {shown}can be of letters a to z, digits and "
            "underscores, and does not begin with pg_; write '#' as %23 elsewhere"
        )
    try:
        parts = psycopg.conninfo.conninfo_to_dict(database)
    except psycopg.Error:
        raise GalleryError(
            "the address of the database cannot be read; write postgresql://USER@HOST/DATABASE#NAME"
        ) from None
    user, host = (quote(str(parts.get(part, "")), safe="") for part in ("user", "host"))
    port = f":{parts['port']}" if "port" in parts else ""
    server = f"{user}@{host or 'localhost'}{port}" if user else f"{host or 'localhost'}{port}"
    return Address(database, schema, f"postgresql://{server}/{parts.get('dbname', '')}#{schema}")


@contextmanager
def in_words(place: str) -> Iterator[None]:
    """Turns an error of the database into one that says what to do."""
    psycopg = require("psycopg", "postgres")
    try:
        yield
    except psycopg.Error as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise GalleryError(f"{place}: {_remedy(psycopg, error, lines[0])}") from error


def _remedy(psycopg: Any, error: Exception, text: str) -> str:
    errors = psycopg.errors
    for kind, words in (
        (errors.InsufficientPrivilege, f"not allowed: {text}; ask for the right"),
        (errors.DiskFull, "the server's disk is full; free some space"),
        (errors.ReadOnlySqlTransaction, "the server is read-only; name the primary"),
        (errors.UndefinedTable, "damaged: a table is missing; restore a backup"),
        (errors.UndefinedFile, "the server lacks pgvector; install it there"),
        (errors.FeatureNotSupported, f"the server lacks pgvector: {text}"),
        (
            psycopg.OperationalError,
            f"the database is away ({text}); when it is back, the same command goes on",
        ),
    ):
        if isinstance(error, kind):
            return words
    return text
