"""Lists images in one folder per person, and refuses folders that are cameras."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apnet.data.contents import contents
from apnet.data.identity_numbers import cameras_in, is_junk
from apnet.data.listing import other_files_note
from apnet.errors import DataError
from apnet.files import shortened
from apnet.types import NO_CAMERA

_CAMERA_FOLDER = re.compile(r"(?:cam|camera|view)[ ._-]?(?:\d+|[a-z])", re.ASCII | re.IGNORECASE)
_SHORT_CAMERA_FOLDER = re.compile(r"c\d+(?:s\d+)?", re.ASCII | re.IGNORECASE)
_PERSON_IN_NAME = re.compile(
    r"(?<![A-Za-z0-9])(?:person|pid|identity|subject)[ _-]?(\d+)", re.ASCII | re.IGNORECASE
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
    around = contents(folder)
    images: list[tuple[str, Path]] = []
    others: list[Path] = list(around.others)
    notes: list[str] = []
    for person in around.folders:
        inner = contents(person)
        others.extend(sorted([*inner.folders, *inner.others]))
        if is_junk(person.name):
            notes.append(
                f"{folder.name}: {len(inner.images):,} junk images (folder {person.name}) left out"
            )
        else:
            images.extend((person.name, path) for path in inner.images)
    _refuse_camera_folders(folder, images)
    notes.extend(other_files_note(folder.name, others))
    return PersonImages(tuple(images), tuple(around.images), tuple(notes))


def _refuse_camera_folders(folder: Path, images: Sequence[tuple[str, Path]]) -> None:
    """Refuses subfolders that are all named as cameras, or that all show several persons."""
    names = sorted({name for name, _ in images})
    what = _camera_signs(names, images)
    if what is not None:
        shown = ", ".join(shortened(name, 32) for name in names[:3]) + ", ..." * (len(names) > 3)
        raise DataError(
            f"{folder}: expected a folder per person, found folders {what} ({shown}); sort the "
            "images into a folder per person with the camera in the file name (c1), or write a "
            "table for the data set 'csv'"
        )


def _camera_signs(names: Sequence[str], images: Sequence[tuple[str, Path]]) -> str | None:
    """Returns what speaks for folders of cameras, or None."""
    if names and all(map(_CAMERA_FOLDER.fullmatch, names)):
        return "named as cameras"
    if names and all(map(_SHORT_CAMERA_FOLDER.fullmatch, names)):
        known = cameras_in(path.name for _, path in images).camids
        return "named as cameras" if NO_CAMERA in known else None
    persons: dict[str, set[str]] = {name: set() for name in names}
    for name, path in images:
        match = _PERSON_IN_NAME.search(path.name)
        persons[name].update([match[1]] if match else ())
    if len(persons) > 1 and all(len(found) > 1 for found in persons.values()):
        return "with images of several persons each"
    return None
