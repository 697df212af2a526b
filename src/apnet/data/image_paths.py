"""Lists images given as files, folders or tables that need not be a data set."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from apnet.arguments import AnyPath, as_path
from apnet.data.benchmarks.market1501 import GRAMMAR
from apnet.data.contents import contents
from apnet.data.listing import (
    Listing,
    bare_name,
    named_record,
    other_files_note,
    refuse_archive,
)
from apnet.data.table import read_table
from apnet.errors import DataError
from apnet.files import is_folder, is_there
from apnet.types import JUNK_PID, ImageRecord


def list_images(paths: Sequence[AnyPath]) -> Listing:
    """Lists the images that paths name, in the order of the paths, each image once.

    A folder stands for the images in it and in its subfolders, sorted by name; a ``.csv`` file for
    the images of all its splits (see ``read_table``); any other path for one image. Identity and
    camera come from the table, or from file names in Market-1501's naming scheme
    (``0002_c1s1_000451_03.jpg``); otherwise they are ``JUNK_PID`` and ``NO_CAMERA``.

    Args:
        paths: image files, folders, tables.

    Returns:
        All records as ``gallery``, with notes on files that are no images and on junk left out.

    Raises:
        DataError: a path does not exist or is an archive, a folder cannot be read, a table is
            malformed, a pid or camid is out of range, or there are no images.
    """
    records: dict[Path, ImageRecord] = {}
    notes: list[str] = []
    sources = [as_path(path, "path") for path in paths]
    for path in sources:
        for record in _named_by(path, notes):
            records.setdefault(record.path, record)
    if not records:
        named = ", ".join(map(str, sources[:3])) + (", ..." if len(sources) > 3 else "")
        raise DataError(
            f"{named}: no images found; name image files, or folders that contain images"
        )
    return Listing(
        sources[0], train=(), query=(), gallery=tuple(records.values()), notes=tuple(notes)
    )


def _named_by(path: Path, notes: list[str]) -> Iterator[ImageRecord]:
    if is_folder(path):
        yield from map(_record, _images_below(path, notes))
    elif not is_there(path):
        raise DataError(f"{path}: no such file or folder; check the name")
    elif path.suffix.lower() == ".csv":
        table = read_table(path)
        notes.extend(table.notes)
        yield from (*table.train, *table.query, *table.gallery)
    else:
        refuse_archive(path)
        yield _record(path)


def _images_below(top: Path, notes: list[str]) -> Iterator[Path]:
    """Yields a folder's images, then those of its subfolders; visits each real folder once."""
    seen: set[str] = set()
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        found = contents(folder)
        notes.extend(other_files_note(str(folder), found.others))
        yield from found.images
        waiting.extend(reversed(found.folders))


def _record(path: Path) -> ImageRecord:
    match = GRAMMAR.fullmatch(bare_name(path.name))
    return ImageRecord(path, JUNK_PID) if match is None else named_record(path, match)
