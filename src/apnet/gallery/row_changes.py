"""Changes of a gallery's rows, in SQL that every engine takes."""

from __future__ import annotations

import contextlib
import getpass
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from apnet.gallery.records import NewImage
from apnet.gallery.values import now

if TYPE_CHECKING:
    from apnet.gallery.engines.engine import Engine


@contextlib.contextmanager
def changing(engine: Engine, *, edits: bool = False) -> Iterator[None]:
    """One change, numbered so that other programs notice it; see ``number_change``."""
    with engine.change():
        number_change(engine, edits)
        yield


def number_change(engine: Engine, edits: bool) -> None:
    """Counts a change, inside of it.

    Args:
        engine: of the gallery.
        edits: whether the change touches images that were there, and does not only add some.
    """
    engine.run(
        "UPDATE facts SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) "
        "WHERE key = 'revision' OR (key = 'edits' AND ? = 1)",
        (int(edits),),
    )


def identity_number(engine: Engine, name: str, metadata: Mapping[str, Any]) -> int:
    """Returns the number of an identity, made where it is missing; merges metadata into it."""
    rows = engine.rows("SELECT id, metadata FROM identities WHERE name = ?", (name,))
    if not rows:
        ((number,),) = engine.rows(
            "INSERT INTO identities (name, metadata, created) VALUES (?, ?, ?) RETURNING id",
            (name, json.dumps(dict(metadata)), now()),
        )
        return int(number)
    if metadata:
        merged = {**json.loads(rows[0][1]), **metadata}
        engine.run(
            "UPDATE identities SET metadata = ? WHERE id = ?", (json.dumps(merged), rows[0][0])
        )
    return int(rows[0][0])


def insert_images(
    engine: Engine, images: Sequence[NewImage], identities: Sequence[int | None]
) -> list[int]:
    """Inserts images; returns their numbers."""
    moment = now()
    values: list[Any] = []
    for image, identity in zip(images, identities, strict=True):
        seen = image.sighting
        added = moment if image.added is None else image.added
        values += (identity, seen.camera, seen.time, added, seen.source, image.digest)
    places = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(images))
    rows = engine.rows(
        "INSERT INTO images (identity, camera, time, added, source, digest) "
        f"VALUES {places} RETURNING digest, id",
        values,
    )
    numbers = {bytes(digest): int(number) for digest, number in rows}
    ids = [numbers[image.digest] for image in images]
    engine.run_many(
        "INSERT INTO features (image, feature) VALUES (?, ?)",
        [
            (number, engine.pack(image.feature))
            for number, image in zip(ids, images, strict=True)
            if image.feature is not None
        ],
    )
    engine.run_many(
        "INSERT INTO thumbnails (image, picture) VALUES (?, ?)",
        [
            (number, image.thumbnail)
            for number, image in zip(ids, images, strict=True)
            if image.thumbnail is not None
        ],
    )
    return ids


def note(engine: Engine, action: str, count: int, identity: int | None = None) -> None:
    """Writes a line of the audit log, inside a change."""
    engine.run(
        "INSERT INTO audit (time, person, action, count, identity) VALUES (?, ?, ?, ?, ?)",
        (now(), _user(), action, count, identity),
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without names of users
        return "unknown"
