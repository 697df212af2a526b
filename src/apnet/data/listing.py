"""``Listing``, which every loader returns, and reading folders of image files into it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apnet.errors import DataError
from apnet.types import JUNK_PID, ImageRecord

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
"""Suffixes, in lower case, of the files that are read as images."""

_LITTER = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True)
class Listing:
    """The images of a data set as found on disk, before validation.

    Attributes:
        root: the folder that contains the splits, or the table that lists them.
        train: training images.
        query: query images.
        gallery: gallery images without junk.
        notes: sentences on what was left out or assumed.
        off_grammar: image files whose names do not follow the naming scheme.
    """

    root: Path
    train: tuple[ImageRecord, ...]
    query: tuple[ImageRecord, ...]
    gallery: tuple[ImageRecord, ...]
    notes: tuple[str, ...] = ()
    off_grammar: tuple[Path, ...] = ()


@dataclass(frozen=True)
class SplitFolders:
    """Names of the three split folders of a data set."""

    train: str = "bounding_box_train"
    query: str = "query"
    gallery: str = "bounding_box_test"


MARKET_FOLDERS = SplitFolders()
"""The split folders of Market-1501, which most later data sets use too."""


@dataclass
class _Split:
    records: list[ImageRecord] = field(default_factory=list)
    off_grammar: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_split_folders(
    base: Path, grammar: re.Pattern[str], folders: SplitFolders = MARKET_FOLDERS
) -> Listing:
    """Reads one folder per split; images are sorted by name.

    Args:
        base: the folder that holds the split folders; a missing one is an empty split.
        grammar: pattern of the whole file name without image suffixes (both are removed from
            ``.jpg.jpg``); its group ``pid`` is the identity, ``camid`` (optional) the camera. Pid
            -1 is junk.
        folders: names of the split folders.

    Raises:
        DataError: a folder cannot be read.
    """
    train, query, gallery = splits = [
        _read_split(base / name, grammar) if (base / name).is_dir() else _Split()
        for name in (folders.train, folders.query, folders.gallery)
    ]
    return Listing(
        root=base,
        train=tuple(train.records),
        query=tuple(query.records),
        gallery=tuple(gallery.records),
        notes=tuple(note for split in splits for note in split.notes),
        off_grammar=tuple(path for split in splits for path in split.off_grammar),
    )


def _read_split(folder: Path, grammar: re.Pattern[str]) -> _Split:
    split = _Split()
    junk = 0
    images, others = image_files(folder)
    for path in images:
        match = grammar.fullmatch(bare_name(path.name))
        if match is None:
            split.off_grammar.append(path)
            continue
        groups = match.groupdict()
        pid = int(groups["pid"])
        if pid == JUNK_PID:
            junk += 1
        elif groups.get("camid") is None:
            split.records.append(ImageRecord(path, pid))
        else:
            split.records.append(ImageRecord(path, pid, int(groups["camid"])))
    if junk:
        split.notes.append(f"{folder.name}: {junk:,} junk images (pid -1) left out")
    split.notes.extend(other_files_note(folder.name, others))
    return split


def image_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Returns the image files and the other entries of a folder, each sorted by name.

    Hidden files and files that operating systems create (``Thumbs.db``) are in neither list.

    Raises:
        DataError: the folder cannot be read.
    """
    images: list[Path] = []
    others: list[Path] = []
    for entry in scan(folder):
        if entry.name.startswith(".") or entry.name.lower() in _LITTER:
            continue
        is_image = Path(entry.name).suffix.lower() in IMAGE_SUFFIXES and not entry.is_dir()
        (images if is_image else others).append(Path(entry.path))
    return images, others


def scan(folder: Path) -> list[os.DirEntry[str]]:
    """Returns a folder's entries, sorted by name.

    Raises:
        DataError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(
            f"{folder}: this folder cannot be read ({error.strerror}); check that it exists "
            "and its permissions"
        ) from None


def bare_name(name: str) -> str:
    """Returns a file name without any of its image suffixes."""
    path = Path(name)
    while path.suffix.lower() in IMAGE_SUFFIXES:
        path = path.with_suffix("")
    return path.name


def other_files_note(place: str, others: Sequence[Path]) -> Iterable[str]:
    """Yields a note on the entries that are no images, if there are any."""
    if others:
        yield f"{place}: {len(others):,} entries left out that are not images ({_first(others)})"


def off_grammar_error(name: str, listing: Listing) -> DataError:
    """Returns the error for image files whose names do not follow the naming scheme."""
    return DataError(
        f"{listing.root}: {len(listing.off_grammar):,} image names do not follow the naming "
        f"scheme of '{name}' ({_first(listing.off_grammar)}); rename or move them, or choose "
        "another data set name"
    )


def find_base(root: Path, marks: Sequence[str], inner: Sequence[str] = ()) -> Path | None:
    """Finds the folder that contains all of ``marks``.

    Args:
        root: the path the user gave: the folder itself, its parent, or one of its marks.
        marks: names of files or folders that must all exist in it.
        inner: usual names of the folder inside its parent.

    Returns:
        The folder, or None if it was not found.
    """
    candidates = [root, *(root / name for name in inner)]
    if root.name in marks:
        candidates.append(root.parent)
    for candidate in candidates:
        if all((candidate / mark).exists() for mark in marks):
            return candidate
    return None


def find_splits(
    root: Path, folders: SplitFolders = MARKET_FOLDERS, inner: Sequence[str] = ()
) -> Path | None:
    """Finds the folder that contains the test splits, or only a training split.

    Args:
        root: the path the user gave: the folder itself, its parent, or one of its splits.
        folders: names of the split folders.
        inner: usual names of the folder inside its parent.

    Returns:
        The folder that contains both query and gallery; if there is none, the folder that contains
        the training split and neither query nor gallery; otherwise None.
    """
    base = find_base(root, (folders.query, folders.gallery), inner)
    if base is not None:
        return base
    base = find_base(root, (folders.train,), inner)
    if base is None or any((base / name).exists() for name in (folders.query, folders.gallery)):
        return None
    return base


def wrong_folder(root: Path, expected: str) -> DataError:
    """Returns the error for a path that is not the expected data set folder."""
    if not root.exists():
        return DataError(f"{root}: no such folder; expected {expected}")
    if not root.is_dir():
        return DataError(f"{root}: a file, not a folder; expected {expected}")
    names = [entry.name + "/" * entry.is_dir() for entry in scan(root)]
    found = ", ".join(names[:8]) + (f", and {len(names) - 8:,} more" if len(names) > 8 else "")
    return DataError(f"{root}: expected {expected}; found {found or 'an empty folder'}")


def _first(paths: Sequence[Path]) -> str:
    shown = ", ".join(path.name for path in paths[:3])
    return shown + (", ..." if len(paths) > 3 else "")
