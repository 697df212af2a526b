"""Feature files in two: ``x.npy`` with the features (N, D), ``x.csv`` with the ids of N rows."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.errors import DataError
from apnet.files import atomic_write, is_file, shortened
from apnet.retrieval.files.contents import Arrays, Contents, Format, readable
from apnet.retrieval.files.npz import no_pickles


def both_files(path: Path) -> tuple[Path, Path]:
    """Returns the ``.npy`` and the ``.csv`` file; one of them is ``path`` itself."""
    is_table = path.suffix.lower() == ".csv"
    return (path.with_suffix(".npy"), path) if is_table else (path, path.with_suffix(".csv"))


@contextlib.contextmanager
def open_npy_csv(path: Path) -> Iterator[Contents]:
    """Opens the features and their table, whose columns are the names beside ``features``.

    Args:
        path: of either file.

    Raises:
        DataError: one of the two is missing or damaged, or they differ in the number of rows.
    """
    array, table = both_files(path)
    for file, other, what in ((array, table, "features"), (table, array, "pids and camids")):
        if not is_file(file):
            raise DataError(
                f"{file}: no such file; {other.name} needs it beside itself, with the {what}"
            )
    features = _features(array)
    columns = _columns(table)
    rows = len(next(iter(columns.values())))
    if features.ndim and rows != len(features):
        raise DataError(
            f"{table}: has {rows:,} rows for {len(features):,} features in {array.name}; write one "
            "row per feature, in the same order"
        )

    def read(key: str, name: str) -> Any:
        if key == "features":
            return features
        texts = np.array(columns[name], dtype=np.str_)
        return texts if key in ("paths", "fingerprint") else _whole_numbers(texts)

    yield Contents(("features", *(name for name in columns if name != "features")), read)


def write_npy_csv(path: Path, arrays: Arrays) -> None:
    """Writes both files, each atomically; a fingerprint has no place in them.

    Raises:
        DataError: the folder is not writable or the disk is full.
    """
    array, table = both_files(path)
    columns = [name for name in arrays if name not in ("features", "fingerprint")]
    with atomic_write(array) as features, atomic_write(table) as ids:
        with features.open("wb") as file:
            np.save(file, arrays["features"], allow_pickle=False)
        with ids.open("w", encoding="utf-8", errors="surrogateescape", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*(arrays[name].tolist() for name in columns), strict=True))


def _features(path: Path) -> NDArray[Any]:
    with readable(path, "an .npy array"), path.open("rb") as file, no_pickles(path):
        found = np.load(file, allow_pickle=False)
        if not isinstance(found, np.ndarray):
            raise DataError(f"{path}: is an .npz archive; name it so")
        return found


def _columns(path: Path) -> dict[str, list[str]]:
    with (
        readable(path, "a table"),
        path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file,
    ):
        lines = csv.reader(file, strict=True)
        header = [name.strip() for name in next(lines, [])]
        if not header or len(set(header)) < len(header):
            raise DataError(
                f"{path}: its first line is '{shortened(','.join(header))}'; write names "
                "of columns there, all different, such as pids,camids,paths"
            )
        rows = []
        for row in lines:
            if row and len(row) != len(header):
                raise DataError(
                    f"{path}, line {lines.line_num}: has {len(row)} values for {len(header)} "
                    "columns; write one value per column"
                )
            rows.extend([row] if row else [])
        return {name: [row[at] for row in rows] for at, name in enumerate(header)}


def _whole_numbers(texts: NDArray[Any]) -> NDArray[Any]:
    """Returns numbers where all texts are whole numbers, else the texts."""
    try:
        return texts.astype(np.int64)
    except (ValueError, OverflowError):
        return texts


FORMAT = Format(open_npy_csv, write_npy_csv)
