"""Lists images in one folder per person, and refuses folders that are cameras."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apnet.data.identity_numbers import is_junk
from apnet.data.listing import image_files, other_files_note, scan
from apnet.errors import DataError

_CAMERA_FOLDER = re.compile(r"(?:cam|camera|view)[ _-]?(?:\d+|[a-z])", re.IGNORECASE)
_PERSON_IN_NAME = re.compile(
    r"(?<![A-Za-z0-9])(?:person|pid|identity|subject)[ _-]?(\d+)", re.IGNORECASE
)


@dataclass(frozen=True)
class PersonImages:
    """The images of one folder of person folders.

    Attributes:
        images: pairs of person folder name and image, sorted.
        loose: images outside the person folders.
        notes: what was left out.
    """

    images: tuple[tuple[str, Path], ...]
    loose: tuple[Path, ...]
    notes: tuple[str, ...]


def read_person_folders(folder: Path) -> PersonImages:
    """Lists the images in the subfolders of ``folder``; a subfolder ``-1`` is junk and left out.

    Raises:
        DataError: a folder cannot be read, or the subfolders are cameras and not persons.
    """
    loose, _ = image_files(folder)
    images: list[tuple[str, Path]] = []
    others: list[Path] = []
    notes: list[str] = []
    for entry in scan(folder):
        if not entry.is_dir() or entry.name.startswith("."):
            continue
        found, more = image_files(Path(entry.path))
        others.extend(more)
        if is_junk(entry.name):
            notes.append(
                f"{folder.name}: {len(found):,} junk images (folder {entry.name}) left out"
            )
        else:
            images.extend((entry.name, path) for path in found)
    _refuse_camera_folders(folder, images)
    notes.extend(other_files_note(folder.name, others))
    return PersonImages(tuple(images), tuple(loose), tuple(notes))


def _refuse_camera_folders(folder: Path, images: Sequence[tuple[str, Path]]) -> None:
    """Refuses subfolders that are all named as cameras, or that all show several persons."""
    persons: dict[str, set[str]] = {}
    for name, path in images:
        match = _PERSON_IN_NAME.search(path.name)
        persons.setdefault(name, set()).update([match[1]] if match else ())
    as_cameras = all(_CAMERA_FOLDER.fullmatch(name) for name in persons)
    with_several = all(len(found) > 1 for found in persons.values())
    if len(persons) > 1 and (as_cameras or with_several):
        shown = ", ".join(sorted(persons)[:3]) + (", ..." if len(persons) > 3 else "")
        what = "named as cameras" if as_cameras else "with images of several persons each"
        raise DataError(
            f"{folder}: expected a folder per person, found folders {what} ({shown}); sort the "
            "images into a folder per person with the camera in the file name (c1), or write a "
            "table for the data set 'csv'"
        )
