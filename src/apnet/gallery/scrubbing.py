"""Overwrites what was deleted, and remembers that until it is done."""

from __future__ import annotations

from apnet.errors import GalleryError
from apnet.gallery.engines.engine import Engine


def note_deleted(engine: Engine) -> None:
    """Notes, inside a change, that deleted bytes are still to be overwritten."""
    engine.run("DELETE FROM facts WHERE key = 'unscrubbed'")
    engine.run("INSERT INTO facts SELECT 'unscrubbed', value FROM facts WHERE key = 'edits'")


def is_unscrubbed(engine: Engine) -> bool:
    """Whether deleted bytes are still to be overwritten, after an interruption."""
    return bool(_noted(engine))


def overwrite_deleted(engine: Engine) -> None:
    """Overwrites what was deleted, in every file.

    Raises:
        GalleryError: that is not possible, or not now; it is deleted in any case.
    """
    noted = _noted(engine)
    try:
        left = engine.scrub()
    except GalleryError as error:
        raise GalleryError(
            f"{error}; what was deleted is gone from the gallery, and its bytes are overwritten "
            "when the gallery is next opened"
        ) from error
    with engine.change():  # unless somebody deleted more in between
        engine.run("DELETE FROM facts WHERE key = 'unscrubbed' AND value = ?", (noted,))
    if left:
        raise GalleryError("; ".join(left))


def _noted(engine: Engine) -> str:
    rows = engine.rows("SELECT value FROM facts WHERE key = 'unscrubbed'")
    return str(rows[0][0]) if rows else ""
