"""Data sets given as a CSV table of images with identity, camera and split."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from apnet.data.identity_numbers import is_junk, number_names
from apnet.data.listing import Listing, refuse_archive
from apnet.errors import DataError
from apnet.files import entries, is_file, is_folder
from apnet.types import NO_CAMERA, ImageRecord

_SPLITS = ("train", "query", "gallery")
_REQUIRED = ("path", "pid", "split")
_WHOLE_FLOAT = re.compile(r"([+-]?\d+)\.0*")
_MISSING = frozenset({"nan", "NaN", "NaT", "None", "none", "null", "NULL", "<NA>", "NA", "N/A"})
_EXPECTED = "a CSV file with the columns path, pid, split and, where known, camid"


@dataclass(frozen=True)
class _Row:
    path: Path
    pid: str
    camid: str
    split: str


def read_table(root: Path) -> Listing:
    """Reads a table with a header line and the columns ``path, pid, split[, camid]``.

    Paths are relative to the table. Persons and cameras may have any names: integers are kept,
    other names are numbered in sorted order. Whole numbers may be written as floats (``3.0``), as
    data frames do. Pid -1 is junk and left out; camid -1 is an unknown camera. ``split`` is
    ``train``, ``query`` or ``gallery``.

    Args:
        root: the table, or a folder with exactly one ``.csv`` file.

    Raises:
        DataError: there is no table, a column or value is missing, a number is negative and not -1,
            a split is unknown, an image is twice in one split, or an image does not exist.
    """
    table = _find_table(root)
    rows = list(_read_rows(table))
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
        notes=(f"{junk:,} junk images (pid -1) left out",) if junk else (),
    )


def _find_table(root: Path) -> Path:
    if is_file(root):
        refuse_archive(root)
        return root
    if not is_folder(root):
        raise DataError(f"{root}: no such file; expected {_EXPECTED}")
    names = [Path(entry.path) for entry in entries(root)]
    tables = [path for path in names if path.suffix.lower() == ".csv"]
    if len(tables) != 1:
        found = ", ".join(path.name for path in tables[:3]) or "none"
        raise DataError(f"{root}: expected {_EXPECTED}, one in this folder; found {found}")
    return tables[0]


def _read_rows(table: Path) -> Iterator[_Row]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened, strict=True)
            absent = [name for name in _REQUIRED if name not in (reader.fieldnames or ())]
            if absent:
                raise DataError(
                    f"{table}: expected {_EXPECTED}; its header lacks {', '.join(absent)}"
                )
            for cells in reader:
                yield _row(cells, table, reader.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: cannot be read as a UTF-8 CSV table ({error})") from None


def _row(cells: dict[str | None, str | None], table: Path, line: int) -> _Row:
    if None in cells or None in cells.values():
        raise DataError(f"{table}, line {line}: more or fewer cells than the header has columns")
    texts = {name: (text or "").strip() for name, text in cells.items()}
    for name in _REQUIRED:
        if not texts[name]:
            raise DataError(f"{table}, line {line}: the cell '{name}' is empty; fill it")
    if texts["split"] not in _SPLITS:
        raise DataError(
            f"{table}, line {line}: split {texts['split']!r} is none of {', '.join(_SPLITS)}"
        )
    pid, camid = (_identifier(name, texts.get(name, ""), table, line) for name in ("pid", "camid"))
    unknown = camid == str(NO_CAMERA)
    return _Row(table.parent / texts["path"], pid, "" if unknown else camid, texts["split"])


def _identifier(column: str, text: str, table: Path, line: int) -> str:
    """Returns a person's or a camera's name; ``3.0`` becomes ``3``."""
    if text in _MISSING:
        raise DataError(
            f"{table}, line {line}: {column} is {text!r}, which stands for a missing value; fill it"
        )
    match = _WHOLE_FLOAT.fullmatch(text)
    name = match[1] if match else text
    if re.fullmatch(r"-\d+", name) and name != "-1":
        raise DataError(
            f"{table}, line {line}: {column} is {text}; use a number of 0 or more, a name, or -1 "
            f"({'junk' if column == 'pid' else 'unknown'})"
        )
    return name


def _verify(table: Path, rows: Sequence[_Row]) -> None:
    without = sum(not row.camid for row in rows)
    if 0 < without < len(rows):
        raise DataError(
            f"{table}: {without:,} of {len(rows):,} rows have no camid (empty or -1); fill "
            "all of them or leave the column out"
        )
    for (split, path), times in Counter((row.split, row.path) for row in rows).items():
        if times > 1:
            raise DataError(f"{table}: {path} is in split '{split}' {times} times; keep one row")
    missing = [row.path for row in rows if not is_file(row.path)]
    if missing:
        raise DataError(
            f"{table}: {len(missing):,} of its images do not exist, the first is {missing[0]}; "
            "paths are relative to the table"
        )
