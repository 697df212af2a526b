"""Reads of a gallery's rows, in SQL that every engine takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from apnet.errors import GalleryError
from apnet.gallery.records import AuditLine, HeldImage, Identity

if TYPE_CHECKING:
    from apnet.gallery.engines.engine import Engine, Wanted

_IMAGES = (
    "SELECT i.id, p.name, i.camera, i.time, i.source, i.added, i.digest FROM images i "
    "LEFT JOIN identities p ON p.id = i.identity "
)
_TOTAL = "SELECT COUNT(*) FROM "


def count_of(engine: Engine, what: str) -> int:
    """Returns the number of rows of a table, or of what a condition on it leaves."""
    ((count,),) = engine.rows(_TOTAL + what)
    return int(count)


def change_numbers(engine: Engine) -> tuple[int, int]:
    """Returns how many changes there were, and how many of them touched rows that were there."""
    rows = engine.rows("SELECT value FROM facts WHERE key IN ('edits', 'revision') ORDER BY key")
    if len(rows) != 2:
        raise GalleryError(f"{engine.place}: damaged: it lost its change numbers; restore a backup")
    return int(rows[1][0]), int(rows[0][0])


def facts_of(engine: Engine) -> dict[str, str]:
    """Returns all facts."""
    return {str(key): str(value) for key, value in engine.rows("SELECT key, value FROM facts")}


def find_identity(engine: Engine, name: str) -> Identity | None:
    """Returns an identity by its name."""
    found = _identities(engine, "WHERE p.name = ?", (name,))
    return found[0] if found else None


def all_identities(engine: Engine) -> list[Identity]:
    """Returns all identities in the order of their names."""
    return _identities(engine, "", ())


def identities_by_number(engine: Engine, numbers: Sequence[int]) -> dict[int, Identity]:
    """Returns identities by their numbers."""
    if not numbers:
        return {}
    condition, values = engine.among("p.id", numbers)
    return {each.id: each for each in _identities(engine, f"WHERE {condition}", values)}


def _identities(engine: Engine, condition: str, values: Sequence[Any]) -> list[Identity]:
    rows = engine.rows(
        "SELECT p.id, p.name, p.metadata, i.camera, COUNT(i.id) FROM identities p "
        f"LEFT JOIN images i ON i.identity = p.id {condition} "
        "GROUP BY p.id, p.name, p.metadata, i.camera ORDER BY p.id, i.camera",
        values,
    )
    found: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(int(row[0]), []).append(row)
    return sorted(
        (
            Identity(
                number,
                lines[0][1],
                json.loads(lines[0][2]),
                sum(int(line[4]) for line in lines),
                tuple(line[3] for line in lines if line[3]),
            )
            for number, lines in found.items()
        ),
        key=lambda each: each.name,
    )


def images_of(engine: Engine, identity: int | None) -> list[HeldImage]:
    """Returns the images of an identity, or those without one, in the order they were added."""
    if identity is None:
        return _held(engine, "WHERE i.identity IS NULL ORDER BY i.id", ())
    return _held(engine, "WHERE i.identity = ? ORDER BY i.id", (identity,))


def images_by_number(engine: Engine, numbers: Sequence[int]) -> dict[int, HeldImage]:
    """Returns images by their numbers."""
    if not numbers:
        return {}
    condition, values = engine.among("i.id", numbers)
    return {each.id: each for each in _held(engine, f"WHERE {condition}", values)}


def images_after(engine: Engine, last: int, count: int) -> list[HeldImage]:
    """Returns the next images in the order of their numbers."""
    return _held(engine, "WHERE i.id > ? ORDER BY i.id LIMIT ?", (last, count))


def _held(engine: Engine, condition: str, values: Sequence[Any]) -> list[HeldImage]:
    return [
        HeldImage(number, name, camera, time, source, added, bytes(digest))
        for number, name, camera, time, source, added, digest in engine.rows(
            _IMAGES + condition, values
        )
    ]


def known_digests(engine: Engine, digests: Sequence[bytes]) -> dict[bytes, tuple[int, str | None]]:
    """Returns number and identity's name of those images that are there, by digest."""
    places = ", ".join("?" * len(digests))
    rows = engine.rows(
        "SELECT i.digest, i.id, p.name FROM images i LEFT JOIN identities p ON p.id = i.identity "
        f"WHERE i.digest IN ({places})",
        digests,
    )
    return {bytes(digest): (int(number), name) for digest, number, name in rows}


def features_of(engine: Engine, numbers: Sequence[int]) -> NDArray[np.float32]:
    """Returns the features (N, D) of images, in the order of the numbers."""
    condition, values = engine.among("image", numbers)
    found = {
        int(number): engine.unpack(value)
        for number, value in engine.rows(
            f"SELECT image, feature FROM features WHERE {condition}", values
        )
    }
    return np.stack([found[number] for number in numbers])


def thumbnails_of(engine: Engine, numbers: Sequence[int]) -> dict[int, bytes]:
    """Returns the thumbnails that there are, by image."""
    condition, values = engine.among("image", numbers)
    rows = engine.rows(f"SELECT image, picture FROM thumbnails WHERE {condition}", values)
    return {int(number): bytes(picture) for number, picture in rows}


def labels_after(engine: Engine, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns numbers and identities (0 for none) of the images after one, in order."""
    rows = engine.rows("SELECT id, identity FROM images WHERE id > ? ORDER BY id", (last,))
    return (
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] or 0 for row in rows], np.int64),
    )


def labelled_features(
    engine: Engine, numbers: Sequence[int], feature_dim: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Returns numbers, identities and features of those images that are there and have one."""
    condition, values = engine.among("i.id", numbers)
    rows = engine.rows(
        "SELECT i.id, i.identity, f.feature FROM images i JOIN features f ON f.image = i.id "
        f"WHERE i.identity IS NOT NULL AND {condition}",
        values,
    )
    features = np.empty((len(rows), feature_dim), np.float32)
    for row, (_, _, value) in enumerate(rows):
        features[row] = engine.unpack(value)
    ids, identities = (np.array([row[column] for row in rows], np.int64) for column in (0, 1))
    return ids, identities, features


def images_wanted(engine: Engine, wanted: Wanted) -> NDArray[np.int64]:
    """Returns the numbers of the images that a search looks at."""
    condition, values = condition_of(engine, wanted)
    rows = engine.rows(f"SELECT i.id FROM images i WHERE {condition}", values)
    return np.array([row[0] for row in rows], np.int64)


def condition_of(engine: Engine, wanted: Wanted) -> tuple[str, list[Any]]:
    """Returns a condition on ``images i``, and its values."""
    parts = ["i.identity IS NOT NULL"]
    values: list[Any] = []
    many: list[tuple[str, str, Sequence[Any] | None]] = [
        ("", "i.camera", wanted.cameras),
        ("NOT ", "i.camera", wanted.not_cameras or None),
        ("", "i.identity", wanted.identities),
    ]
    for negation, column, chosen in many:
        if chosen is not None:
            condition, given = engine.among(column, chosen)
            parts.append(negation + condition)
            values += given
    for sign, moment in ((">=", wanted.after), ("<", wanted.before)):
        if moment is not None:
            parts.append(f"i.time {sign} ?")
            values.append(moment)
    return " AND ".join(parts), values


def audit_lines(engine: Engine) -> list[AuditLine]:
    """Returns the audit log, oldest first."""
    rows = engine.rows("SELECT time, person, action, count, identity FROM audit ORDER BY id")
    return [AuditLine(*row) for row in rows]
