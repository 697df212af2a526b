"""Writing feature stores (see ``apnet.retrieval.files.store``), batch by batch, atomically."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from apnet.embedding.marks import FileMark
from apnet.embedding.new_store import begin_store
from apnet.errors import DataError
from apnet.files import atomic_write, cannot_write, file_lock
from apnet.retrieval.files.formats import STORE_HEADER
from apnet.retrieval.files.store import (
    ROWS,
    SKIPPED,
    Row,
    SkippedRow,
    StoreHeader,
    read_lines,
)
from apnet.types import ImageRecord


class StoreWriter:
    """Appends to a new or existing store, which it locks; a context manager.

    The remains of a batch that an earlier job did not finish are removed. Memory: the paths of the
    rows.

    Args:
        path: the folder; it is created where it is missing.
        header: how the features are computed.

    Attributes:
        rows: what is known of the rows.
        known: the index of the row of each path.
        remains: features without a row, which were removed.

    Raises:
        ConfigError: the store was made with other settings, or the folder is not a store.
        DataError: the store is damaged, in use by another process, or cannot be written.
    """

    def __init__(self, path: Path, header: StoreHeader) -> None:
        self.path = path
        self.header = header
        begin_store(path, header)
        self._open = ExitStack()
        self._open.enter_context(file_lock(path))
        try:
            names = (ROWS, header.features_file, SKIPPED)
            self._rows, self._features, self._faults = map(self._appended, names)
            self.rows = read_lines(path / ROWS, Row)
            self.known = {row.path: index for index, row in enumerate(self.rows)}
            self._skipped = {row.path for row in read_lines(path / SKIPPED, SkippedRow)}
            self._recover()
        except BaseException:
            self.close()
            raise

    def append(
        self,
        records: Sequence[ImageRecord],
        features: NDArray[np.floating],
        marks: Sequence[FileMark] = (),
    ) -> None:
        """Adds one batch; it is on the disk when this returns.

        Args:
            records: B images.
            features: (B, D).
            marks: of the B files; none where they are not known.

        Raises:
            DataError: a feature is not finite, or the disk is full; the batch is not in the store.
        """
        kept = self._checked(records, features)
        known = marks or [FileMark()] * len(records)
        rows = [_row(record, mark) for record, mark in zip(records, known, strict=True)]
        ends = (self._features.tell(), self._rows.tell())
        try:
            _put(self._features, kept.tobytes())  # first: a line promises a feature
            _put(self._rows, _encoded(rows))
        except OSError as error:
            _cut(self._features, ends[0])
            _cut(self._rows, ends[1])
            raise cannot_write(self.path, error) from None
        self.known.update((row.path, len(self.rows) + at) for at, row in enumerate(rows))
        self.rows.extend(rows)

    def replace(
        self,
        records: Sequence[ImageRecord],
        features: NDArray[np.floating],
        marks: Sequence[FileMark],
    ) -> None:
        """Writes new features of images that have rows, which ``change_rows`` marked as stale.

        They stay stale on the disk until ``change_rows`` is called again.

        Args:
            records: B images.
            features: (B, D).
            marks: of the B files.

        Raises:
            DataError: a feature is not finite, or the disk is full.
        """
        kept = self._checked(records, features)
        try:
            with (self.path / self.header.features_file).open("r+b", buffering=0) as file:
                for feature, record, mark in zip(kept, records, marks, strict=True):
                    index = self.known[str(record.path)]
                    file.seek(index * self.header.row_bytes)
                    _put(file, feature.tobytes())
                    self.rows[index] = _marked(self.rows[index], mark)
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def change_rows(self, changed: Mapping[int, Row]) -> None:
        """Replaces rows by index, and writes all rows anew and at once.

        Raises:
            DataError: the disk is full; the rows on it are as they were.
        """
        for index, row in changed.items():
            self.rows[index] = row
        self._rows.close()
        with atomic_write(self.path / ROWS) as part:
            part.write_bytes(_encoded(self.rows))
        self._rows = self._appended(ROWS)

    def skip(self, path: Path, reason: str) -> None:
        """Records an image that could not be used, unless it is recorded already.

        Raises:
            DataError: the disk is full.
        """
        if str(path) in self._skipped:
            return
        end = self._faults.tell()
        try:
            _put(self._faults, _encoded([SkippedRow(str(path), reason)]))
        except OSError as error:
            _cut(self._faults, end)
            raise cannot_write(self.path, error) from None
        self._skipped.add(str(path))

    def abandon(self) -> None:
        """Closes a new store without rows, and removes what it has made."""
        self.close()
        for name in (ROWS, self.header.features_file, SKIPPED, STORE_HEADER):
            (self.path / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something else is in the folder
            self.path.rmdir()

    def __len__(self) -> int:
        return len(self.rows)

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the files and releases the lock."""
        self._open.close()

    def _checked(
        self, records: Sequence[ImageRecord], features: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        kept = np.ascontiguousarray(features, dtype=f"<f{2 if self._half else 4}")
        finite = np.isfinite(kept).all(axis=1)
        if not finite.all():
            name = records[int(np.flatnonzero(~finite)[0])].path
            raise DataError(f"{name}: its feature is not finite; the network may be damaged")
        return kept

    @property
    def _half(self) -> bool:
        return self.header.numbers == "float16"

    def _appended(self, name: str) -> BinaryIO:
        try:
            return self._open.enter_context((self.path / name).open("ab", buffering=0))
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def _recover(self) -> None:
        wanted = len(self.rows) * self.header.row_bytes
        there = self._features.seek(0, os.SEEK_END)
        if there < wanted:
            raise DataError(
                f"{self.path}: damaged: {self.header.features_file} ends before the last of "
                f"{len(self.rows):,} rows; embed the images again, into another folder"
            )
        self.remains = -(-(there - wanted) // self.header.row_bytes)
        _cut(self._features, wanted)
        for file, name in ((self._rows, ROWS), (self._faults, SKIPPED)):
            _cut(file, _whole_lines(self.path / name))


def _put(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:  # an unbuffered file may write fewer bytes than it is given
        view = view[file.write(view) :]
    os.fsync(file.fileno())


def _cut(file: BinaryIO, size: int) -> None:
    file.truncate(size)
    file.seek(size)


def _row(record: ImageRecord, mark: FileMark) -> Row:
    return _marked(Row(str(record.path), record.pid, record.camid), mark)


def _marked(row: Row, mark: FileMark) -> Row:
    return replace(row, size=mark.size, time=mark.time, digest=mark.digest, stale=False)


def _encoded(rows: Sequence[Row | SkippedRow]) -> bytes:
    """Returns a line of JSON per row, without the fields that are not known."""
    lines = (
        {
            name: value
            for name, value in vars(row).items()
            if value is not None and value is not False
        }
        for row in rows
    )
    return "".join(json.dumps(line) + "\n" for line in lines).encode("ascii")


def _whole_lines(path: Path) -> int:
    """Returns the bytes up to and with the last line end."""
    data = path.read_bytes()
    return data.rfind(b"\n") + 1
