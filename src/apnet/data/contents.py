"""What is in a folder of images: image files, folders, and other entries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from apnet.errors import DataError
from apnet.files import check_path, entries

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
"""Suffixes, in lower case, of the files that are read as images."""

_ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar")
_LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin"})
"""Names, in lower case, of what operating systems, archivers and network drives create."""


@dataclass(frozen=True)
class Contents:
    """The entries of a folder, each kind sorted by name.

    Attributes:
        images: files with the suffix of an image.
        folders: folders, also those that links lead to.
        others: all other entries; they may be anything, and are not to be opened.
    """

    images: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)


def contents(folder: Path) -> Contents:
    """Lists a folder, without hidden entries and ``Thumbs.db``, ``__MACOSX`` and the like.

    Nothing is opened.

    Raises:
        DataError: the folder cannot be read, or an entry with the suffix of an image is a pipe, a
            socket, a device, or a link that leads nowhere.
    """
    found = Contents()
    for entry in entries(folder):
        if entry.name.startswith(".") or entry.name.lower() in _LITTER:
            continue
        path = Path(entry.path)
        if _holds(entry.is_dir):
            found.folders.append(path)
        elif not is_image_name(entry.name):
            found.others.append(path)
        elif _holds(entry.is_file):
            found.images.append(path)
        else:
            raise _no_file(path)
    return found


def is_image_name(name: str) -> bool:
    """Returns whether a name has the suffix of an image, in any case."""
    return Path(name).suffix.lower() in IMAGE_SUFFIXES


def is_archive_name(name: str) -> bool:
    """Returns whether a name has the suffix of an archive, in any case."""
    return name.lower().endswith(_ARCHIVES)


def _holds(test: Callable[[], bool]) -> bool:
    try:
        return test()
    except OSError:  # links that lead in a circle, or where one may not look
        return False


def _no_file(path: Path) -> DataError:
    try:
        check_path(path)
    except DataError as error:
        return error
    return DataError(
        f"{path}: a link to an image that is not there; restore the image or remove the link"
    )
