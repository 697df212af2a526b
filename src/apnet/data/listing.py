"""``Listing``, which every loader returns, and reading folders of image files into it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apnet.data.contents import IMAGE_SUFFIXES, Contents, contents, is_archive_name
from apnet.data.identity_numbers import id_number
from apnet.errors import DataError, printable
from apnet.files import is_folder, is_there, shortened
from apnet.types import JUNK_PID, ImageRecord

_SHOWN_ENTRIES, _SHOWN_NAME = 5, 32


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
        DataError: a folder cannot be read, or a pid or camid is out of range.
    """
    train, query, gallery = splits = [
        _read_split(base / name, grammar) if is_folder(base / name) else _Split()
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
    found = contents(folder)
    for path in found.images:
        match = grammar.fullmatch(bare_name(path.name))
        if match is None:
            split.off_grammar.append(path)
            continue
        record = named_record(path, match)
        if record.pid == JUNK_PID:
            junk += 1
        else:
            split.records.append(record)
    if junk:
        split.notes.append(f"{folder.name}: {junk:,} junk images (pid -1) left out")
    split.notes.extend(other_files_note(folder.name, sorted([*found.folders, *found.others])))
    return split


def named_record(path: Path, match: re.Match[str], place: str = "") -> ImageRecord:
    """Returns the record of an image whose file name tells its pid and, where known, its camid.

    Args:
        path: of the image.
        match: of its name, with the group ``pid`` and perhaps ``camid``.
        place: the line of a list that names the image, for errors; by default the image itself.

    Raises:
        DataError: a number is out of range.
    """
    groups = match.groupdict()
    pid = id_number(groups["pid"], "pid", place or path)
    if groups.get("camid") is None:
        return ImageRecord(path, pid)
    return ImageRecord(path, pid, id_number(groups["camid"], "camid", place or path))


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
        if all(is_there(candidate / mark) for mark in marks):
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
    if base is None or any(is_there(base / name) for name in (folders.query, folders.gallery)):
        return None
    return base


def wrong_folder(root: Path, expected: str) -> DataError:
    """Returns the error for a path that is not the expected data set folder.

    Raises:
        DataError: it is an archive, or a folder that holds one instead.
    """
    if not is_there(root):
        return DataError(f"{root}: no such folder; expected {expected}")
    if not is_folder(root):
        refuse_archive(root)
        return DataError(f"{root}: a file, not a folder; expected {expected}")
    found = contents(root)
    refuse_lone_archive(root, found)
    return DataError(f"{root}: expected {expected}; found {_shown(found)}")


def refuse_archive(path: Path) -> None:
    """Checks that a file is no archive, by its name.

    Raises:
        DataError: it is one.
    """
    if is_archive_name(path.name):
        raise DataError(f"{path}: an archive; unpack it, and name the folder that comes out")


def refuse_lone_archive(folder: Path, found: Contents) -> None:
    """Checks that a folder does not hold archives instead of what was packed in them.

    Raises:
        DataError: it holds an archive, and neither folders nor images.
    """
    archives = [path.name for path in found.others if is_archive_name(path.name)]
    if archives and not found.images and not found.folders:
        raise DataError(
            f"{folder}: holds only the archive {shortened(archives[0], _SHOWN_NAME)}; unpack it"
        )


def _shown(found: Contents) -> str:
    names = [
        *(f"{shortened(path.name, _SHOWN_NAME)}/" for path in found.folders),
        *(shortened(path.name, _SHOWN_NAME) for path in (*found.images, *found.others)),
    ]
    more = len(names) - _SHOWN_ENTRIES
    shown = ", ".join(names[:_SHOWN_ENTRIES]) + (f", and {more:,} more" if more > 0 else "")
    return shown or "an empty folder"


def _first(paths: Sequence[Path]) -> str:
    shown = ", ".join(shortened(printable(path.name), _SHOWN_NAME) for path in paths[:3])
    return shown + (", ..." if len(paths) > 3 else "")
