"""Images that a user names one by one, by folder or by table, without being a data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from apnet.data.benchmarks.market1501 import GRAMMAR
from apnet.data.listing import Listing, bare_name, image_files, other_files_note
from apnet.data.table import read_table
from apnet.errors import DataError
from apnet.types import JUNK_PID, ImageRecord


def gather_images(paths: Sequence[Path]) -> Listing:
    """Lists what paths name, in the order of the paths, each image once.

    A folder stands for the images in it and below it, by name; a ``.csv`` file for the images of
    its training, query and gallery split, as ``read_table`` takes them; anything else for itself.
    Person and camera come from the table, or from a name in Market-1501's grammar
    (``0002_c1s1_000451_03.jpg``); they are ``JUNK_PID`` and ``NO_CAMERA`` where neither says them.

    Args:
        paths: image files, folders, tables.

    Returns:
        All records as ``gallery``, with notes on what in the folders is no image and on junk left
        out of tables.

    Raises:
        DataError: a path is not there, a folder cannot be read, a table is malformed, or there is
            no image at all.
    """
    records: dict[Path, ImageRecord] = {}
    notes: list[str] = []
    for path in paths:
        for record in _named_by(path, notes):
            records.setdefault(record.path, record)
    if not records:
        named = ", ".join(map(str, paths[:3])) + (", ..." if len(paths) > 3 else "")
        raise DataError(f"{named}: no images there; name image files or folders that hold some")
    return Listing(
        paths[0], train=(), query=(), gallery=tuple(records.values()), notes=tuple(notes)
    )


def _named_by(path: Path, notes: list[str]) -> Iterator[ImageRecord]:
    if path.is_dir():
        yield from map(_record, _images_below(path, notes, set()))
    elif not path.exists():
        raise DataError(f"{path}: no such file or folder")
    elif path.suffix.lower() == ".csv":
        table = read_table(path)
        notes.extend(table.notes)
        yield from (*table.train, *table.query, *table.gallery)
    else:
        yield _record(path)


def _images_below(folder: Path, notes: list[str], seen: set[Path]) -> Iterator[Path]:
    """Yields a folder's images before those of the folders in it; links in a circle end."""
    real = folder.resolve()
    if real in seen:
        return
    seen.add(real)
    images, others = image_files(folder)
    notes.extend(other_files_note(str(folder), [path for path in others if not path.is_dir()]))
    yield from images
    for inner in others:
        if inner.is_dir():
            yield from _images_below(inner, notes, seen)


def _record(path: Path) -> ImageRecord:
    match = GRAMMAR.fullmatch(bare_name(path.name))
    if match is None:
        return ImageRecord(path, JUNK_PID)
    return ImageRecord(path, int(match["pid"]), int(match["camid"]))
