"""Writing feature stores (see ``apnet.retrieval.files.store``), batch by batch, atomically."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from apnet.errors import ConfigError, DataError
from apnet.files import cannot_write, claim_folder, file_lock, write_json
from apnet.retrieval.files.store import (
    HEADER,
    ROWS,
    SKIPPED,
    Row,
    SkippedRow,
    StoreHeader,
    is_store,
    read_header,
    read_lines,
)
from apnet.types import ImageRecord

_WORDS = {
    "fingerprint": "network",
    "image_size": "image size",
    "flip": "mirror image",
    "precision": "precision",
    "dimensions": "dimensions",
    "numbers": "kind of numbers",
}


class StoreWriter:
    """Appends to a new or existing store, which it locks; a context manager.

    The remains of a batch that an earlier job did not finish are removed. Memory: the paths of the
    rows.

    Args:
        path: the folder; it is created where it is missing.
        header: how the features are computed.

    Attributes:
        known: the paths that have rows.

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
            rows = read_lines(path / ROWS, Row)
            self.known = {row.path for row in rows}
            self._skipped = {row.path for row in read_lines(path / SKIPPED, SkippedRow)}
            self._count = len(rows)
            self._recover()
        except BaseException:
            self.close()
            raise

    def append(self, records: Sequence[ImageRecord], features: NDArray[np.floating]) -> None:
        """Adds one batch; it is on the disk when this returns.

        Args:
            records: B images.
            features: (B, D).

        Raises:
            DataError: a feature is not finite, or the disk is full; the batch is not in the store.
        """
        kept = np.ascontiguousarray(features, dtype=f"<f{2 if self._half else 4}")
        finite = np.isfinite(kept).all(axis=1)
        if not finite.all():
            name = records[int(np.flatnonzero(~finite)[0])].path
            raise DataError(f"{name}: its feature is not finite; the network may be damaged")
        lines: list[dict[str, Any]] = [
            {"path": str(record.path), "pid": record.pid, "camid": record.camid}
            for record in records
        ]
        ends = (self._features.tell(), self._rows.tell())
        try:
            _put(self._features, kept.tobytes())  # first: a line promises a feature
            _put(self._rows, _encoded(lines))
        except OSError as error:
            _cut(self._features, ends[0])
            _cut(self._rows, ends[1])
            raise cannot_write(self.path, error) from None
        self._count += len(lines)
        self.known.update(line["path"] for line in lines)

    def skip(self, path: Path, reason: str) -> None:
        """Records an image that could not be used, unless it is recorded already.

        Raises:
            DataError: the disk is full.
        """
        if str(path) in self._skipped:
            return
        end = self._faults.tell()
        try:
            _put(self._faults, _encoded([{"path": str(path), "reason": reason}]))
        except OSError as error:
            _cut(self._faults, end)
            raise cannot_write(self.path, error) from None
        self._skipped.add(str(path))

    def __len__(self) -> int:
        return self._count

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

    @property
    def _half(self) -> bool:
        return self.header.numbers == "float16"

    def _appended(self, name: str) -> BinaryIO:
        try:
            return self._open.enter_context((self.path / name).open("ab", buffering=0))
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def _recover(self) -> None:
        wanted = self._count * self.header.row_bytes
        if self._features.seek(0, os.SEEK_END) < wanted:
            raise DataError(
                f"{self.path}: damaged: {self.header.features_file} ends before the last of "
                f"{self._count:,} rows; embed the images again, into another folder"
            )
        _cut(self._features, wanted)
        for file, name in ((self._rows, ROWS), (self._faults, SKIPPED)):
            _cut(file, _whole_lines(self.path / name))


def begin_store(path: Path, header: StoreHeader) -> None:
    """Writes the header of a new store, or compares that of an existing one.

    Raises:
        ConfigError: the store was made with other settings, or the folder is not a store.
        DataError: the header is damaged or cannot be written.
    """
    if is_store(path):
        check_same(path, read_header(path), header)
    else:
        check_place(path)
        write_json(path / HEADER, header.to_dict())


def check_place(path: Path) -> None:
    """Creates a folder for a new store.

    Raises:
        ConfigError: the folder contains something else.
        DataError: the folder cannot be created.
    """
    claim_folder(
        path,
        HEADER,
        "not empty, and not a feature store; name a new folder, or a file ending in .npz",
    )


def check_same(path: Path, there: StoreHeader, now: StoreHeader) -> None:
    """Checks that new features may be appended to a store.

    Args:
        path: of the store, for the message.
        there: how its features were computed.
        now: how the new ones would be.

    Raises:
        ConfigError: they were computed differently; the message says what differs.
    """
    mine = asdict(now)
    differing = [
        f"{_WORDS[name]} {_shown(value)}, now {_shown(mine[name])}"
        for name, value in asdict(there).items()
        if value != mine[name]
    ]
    if differing:
        raise ConfigError(
            f"{path}: its features were computed with other settings ({'; '.join(differing)}); "
            "use the same settings, or another folder"
        )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "added" if value else "left out"
    if isinstance(value, tuple):
        height, width = value
        return f"{height}x{width}"
    return str(value)


def _put(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:  # an unbuffered file may write fewer bytes than it is given
        view = view[file.write(view) :]
    os.fsync(file.fileno())


def _cut(file: BinaryIO, size: int) -> None:
    file.truncate(size)
    file.seek(size)


def _encoded(lines: Sequence[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode("ascii")


def _whole_lines(path: Path) -> int:
    """Returns the bytes up to and with the last line end."""
    data = path.read_bytes()
    return data.rfind(b"\n") + 1
