"""Data sets given as a CSV table of images with identity, camera and split."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apnet.data.contents import contents
from apnet.data.identity_numbers import id_number, is_junk, number_names
from apnet.data.listing import Listing, refuse_archive, refuse_lone_archive
from apnet.data.table_text import DATA_SET, read_table_text
from apnet.errors import DataError, printable
from apnet.files import is_file, is_folder, shortened
from apnet.types import NO_CAMERA, ImageRecord

_SPLITS = ("train", "query", "gallery")
_WHOLE = re.compile(r"(?P<sign>[+-]?)(?P<digits>\d+)(?:\.0*)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+(?=e[+-]))(?:e[+-]?\d+)?", re.ASCII | re.I)
_MISSING = frozenset({"nan", "NaN", "NaT", "None", "none", "null", "NULL", "<NA>", "NA", "N/A"})
_MINUS_ONE = {"pid": "junk", "camid": "unknown"}


@dataclass(frozen=True)
class _Row:
    path: Path
    there: bool
    pid: str
    camid: str
    split: str


def read_table(root: Path) -> Listing:
    r"""Reads a table with a header line and the columns ``path, pid, split[, camid]``.

    Paths are relative to the table; ``imgs\a.jpg`` is read as ``imgs/a.jpg`` where that is a file.
    Persons and cameras may have any names: integers from 0 to ``MOST_ID`` are kept, other names are
    numbered in sorted order. Whole numbers may be written as floats (``3.0``), as data frames do.
    Pid -1 is junk and left out; camid -1 is an unknown camera. ``split`` is ``train``, ``query`` or
    ``gallery``. See ``read_table_text`` for separators and headers.

    Args:
        root: the table, or a folder with exactly one ``.csv`` file.

    Raises:
        DataError: there is no table, it is malformed, a column or value is missing, a number is out
            of range or no whole number, a split is unknown, an image is twice in one split, or an
            image does not exist.
    """
    table = _find_table(root)
    text = read_table_text(table)
    rows = [_row(cells, table, f"{table}, line {line}") for line, cells in text.rows]
    known = [row for row in rows if not is_junk(row.pid)]
    _verify(table, known)
    pids = number_names(row.pid for row in known)
    camids = {"": NO_CAMERA, **number_names(row.camid for row in known if row.camid)}
    splits: dict[str, list[ImageRecord]] = {split: [] for split in _SPLITS}
    for row in known:
        splits[row.split].append(ImageRecord(row.path, pids[row.pid], camids[row.camid]))
    junk = len(rows) - len(known)
    return Listing(
        root=table,
        train=tuple(splits["train"]),
        query=tuple(splits["query"]),
        gallery=tuple(splits["gallery"]),
        notes=(*text.notes, *[f"{junk:,} junk images (pid -1) left out"] * bool(junk)),
    )


def _find_table(root: Path) -> Path:
    if is_file(root):
        refuse_archive(root)
        return root
    if not is_folder(root):
        raise DataError(f"{root}: no such file; expected {DATA_SET.expected}")
    found = contents(root)
    tables = [path for path in found.others if path.suffix.lower() == ".csv"]
    if len(tables) != 1:
        refuse_lone_archive(root, found)
        names = shortened(", ".join(path.name for path in tables)) or "none"
        raise DataError(f"{root}: expected {DATA_SET.expected}, one in this folder; found {names}")
    return tables[0]


def _row(cells: Mapping[str, str], table: Path, place: str) -> _Row:
    for name in DATA_SET.required:
        if not cells[name]:
            raise DataError(f"{place}: the cell '{name}' is empty; fill it")
    if cells["split"] not in _SPLITS:
        raise DataError(
            f"{place}: split {shortened(repr(cells['split']))} is none of {', '.join(_SPLITS)}"
        )
    pid, camid = (_identifier(name, cells.get(name, ""), place) for name in ("pid", "camid"))
    unknown = camid == str(NO_CAMERA)
    path, there = _located(table, cells["path"], place)
    return _Row(path, there, pid, "" if unknown else camid, cells["split"])


def _identifier(column: str, text: str, place: str) -> str:
    """Returns a person's or a camera's name; ``3.0`` becomes ``3``."""
    if text in _MISSING:
        raise DataError(f"{place}: {column} is {text!r}, which stands for a missing value; fill it")
    match = _WHOLE.fullmatch(text)
    if match is None:
        if _DECIMAL.fullmatch(text) or (text.isdecimal() and not text.isascii()):
            raise DataError(
                f"{place}: {column} is {shortened(repr(text), 40)}; use a whole number in digits "
                "from 0 to 9, or a name"
            )
        return text
    value = id_number(match["digits"], column, place)
    if match["sign"] != "-" or value == 0:
        return match["digits"]
    if value == 1:
        return "-1"
    raise DataError(
        f"{place}: {column} is {text}; use a number of 0 or more, a name, or -1 "
        f"({_MINUS_ONE[column]})"
    )


def _located(table: Path, text: str, place: str) -> tuple[Path, bool]:
    """Returns the path of an image, also one with Windows's separators, and whether it is there."""
    path = table.parent / text
    turned = table.parent / text.replace("\\", "/")
    try:
        if is_file(path):
            return path, True
        return (turned, True) if turned != path and is_file(turned) else (path, False)
    except DataError as error:
        raise DataError(f"{place}: {shortened(str(error), 160)}") from None


def _verify(table: Path, rows: Sequence[_Row]) -> None:
    if not rows:
        raise DataError(f"{table}: all of its images are junk (pid -1); list images of persons")
    without = sum(not row.camid for row in rows)
    if 0 < without < len(rows):
        raise DataError(
            f"{table}: {without:,} of {len(rows):,} rows have no camid (empty or -1); fill "
            "all of them or leave the column out"
        )
    for (split, path), times in Counter((row.split, row.path) for row in rows).items():
        if times > 1:
            raise DataError(
                f"{table}: {_told(path)} is in split '{split}' {times} times; keep one row"
            )
    missing = [row.path for row in rows if not row.there]
    if missing:
        raise DataError(
            f"{table}: {len(missing):,} of its images do not exist, the first is "
            f"{_told(missing[0])}; paths are relative to the table"
        )


def _told(path: Path) -> str:
    """Returns a path of a cell on one line."""
    return shortened(printable(str(path)), 160)
