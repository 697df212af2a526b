"""What leaves a gallery: images, identities, what is older than its period."""

from __future__ import annotations

import json
from collections.abc import Sequence

from apnet.errors import GalleryError
from apnet.files import shortened
from apnet.gallery.engines.engine import Engine
from apnet.gallery.records import Identity
from apnet.gallery.row_changes import changing, note
from apnet.gallery.rows import find_identity
from apnet.gallery.scrubbing import note_deleted, overwrite_deleted
from apnet.gallery.values import checked_name, now


def known_identity(engine: Engine, name: str) -> Identity:
    """Returns an identity by its name.

    Raises:
        GalleryError: there is none.
    """
    found = find_identity(engine, checked_name(name))
    if found is None:
        raise GalleryError(
            f"{engine.place}: nobody is called '{shortened(name, 60)}'; see 'apnet gallery list'"
        )
    return found


def erase_identity(engine: Engine, name: str) -> int:
    """Deletes an identity with all that is held of it; returns the number of its images.

    The audit log says that somebody was erased, and no longer who was added or renamed before.
    """
    with changing(engine, edits=True):
        identity = known_identity(engine, name)
        engine.run("UPDATE audit SET identity = NULL WHERE identity = ?", (identity.id,))
        engine.run("DELETE FROM images WHERE identity = ?", (identity.id,))
        engine.run("DELETE FROM identities WHERE id = ?", (identity.id,))
        note(engine, "erase", 1)
        note_deleted(engine)
    overwrite_deleted(engine)
    return identity.images


def remove_images(engine: Engine, numbers: Sequence[int]) -> int:
    """Deletes single images; identities stay, also without images.

    Raises:
        GalleryError: an image is not there; none is deleted.
    """
    with changing(engine, edits=True):
        condition, values = engine.among("id", numbers)
        removed = engine.run(f"DELETE FROM images WHERE {condition}", values)
        if removed != len(set(numbers)):
            raise GalleryError(
                f"{engine.place}: {len(set(numbers)) - removed:,} of these images are not there; "
                "see 'apnet gallery show'"
            )
        note(engine, "remove", removed)
        note_deleted(engine)
    overwrite_deleted(engine)
    return removed


def expire_images(engine: Engine, keep: float | None) -> int:
    """Deletes and overwrites what is older than the gallery keeps, see ``delete_old``."""
    removed = delete_old(engine, keep)
    if removed:
        overwrite_deleted(engine)
    return removed


def delete_old(engine: Engine, keep: float | None) -> int:
    """Deletes what is older than the gallery keeps, and identities that lose their last image.

    The age counts from when an image was taken, or from when it was added where that is unknown.
    """
    if keep is None:
        return 0
    limit = now() - keep
    old = "images WHERE COALESCE(time, added) < ?"
    if not engine.rows(f"SELECT 1 FROM {old} LIMIT 1", (limit,)):
        return 0
    with changing(engine, edits=True):
        emptied = [
            row[0]
            for row in engine.rows(
                "SELECT identity FROM images WHERE identity IS NOT NULL GROUP BY identity "
                "HAVING MAX(COALESCE(time, added)) < ?",
                (limit,),
            )
        ]
        removed = engine.run(f"DELETE FROM {old}", (limit,))
        condition, values = engine.among("identity", emptied)
        engine.run(f"UPDATE audit SET identity = NULL WHERE {condition}", values)
        condition, values = engine.among("id", emptied)
        engine.run(f"DELETE FROM identities WHERE {condition}", values)
        note(engine, "expire", removed)
        note_deleted(engine)
    return removed


def rename_identity(engine: Engine, name: str, new_name: str) -> None:
    """Gives an identity another name.

    Raises:
        GalleryError: nobody has the old name, or somebody the new one.
    """
    new = checked_name(new_name)
    with changing(engine):
        identity = known_identity(engine, name)
        if new != identity.name and find_identity(engine, new) is not None:
            raise GalleryError(
                f"{engine.place}: '{new}' is there already; join the two with 'apnet gallery merge'"
            )
        engine.run("UPDATE identities SET name = ? WHERE id = ?", (new, identity.id))
        note(engine, "rename", 1, identity.id)


def merge_identities(engine: Engine, name: str, into: str) -> int:
    """Moves all images of one identity to another and deletes it; returns their number.

    Metadata of both are kept; where both have an entry, that of ``into`` stays.

    Raises:
        GalleryError: one of them is not there, or both are the same.
    """
    with changing(engine, edits=True):
        gone, kept = known_identity(engine, name), known_identity(engine, into)
        if gone.id == kept.id:
            raise GalleryError(f"{engine.place}: '{kept.name}' cannot be merged into itself")
        engine.run("UPDATE images SET identity = ? WHERE identity = ?", (kept.id, gone.id))
        metadata = json.dumps({**gone.metadata, **kept.metadata})
        engine.run("UPDATE identities SET metadata = ? WHERE id = ?", (metadata, kept.id))
        engine.run("UPDATE audit SET identity = ? WHERE identity = ?", (kept.id, gone.id))
        engine.run("DELETE FROM identities WHERE id = ?", (gone.id,))
        note(engine, "merge", gone.images, kept.id)
    return gone.images
