"""Atomic file writes: temporary file, flush, rename."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apnet.errors import DataError


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the folder of ``path``, which replaces ``path`` on success.

    The folder is created where it is missing. After an error the temporary file is removed.

    Raises:
        DataError: the folder is not writable or the disk is full; ``path`` is unchanged.
    """
    try:
        part = _new_part(path)
    except OSError as error:
        raise cannot_write(path, error) from None
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        part.unlink(missing_ok=True)


def check_writable(path: Path, size: int = 0) -> None:
    """Checks that a file can be written, before the work that makes its content.

    The folder is created where it is missing.

    Args:
        path: the file.
        size: its bytes, as far as known.

    Raises:
        DataError: the folder is not writable, or has less free space than ``size``.
    """
    try:
        _new_part(path).unlink()
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        raise cannot_write(path, error) from None
    if free < size:
        raise DataError(
            f"{path}: needs {size / 2**20:,.0f} MiB, and {free / 2**20:,.0f} MiB are free; free "
            "some space"
        )


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text atomically.

    Raises:
        DataError: the folder is not writable or the disk is full.
    """
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes indented JSON atomically.

    Raises:
        DataError: the folder is not writable or the disk is full.
        ValueError: the value contains NaN or an infinity.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def _new_part(path: Path) -> Path:
    """Makes the folder where it is missing, and an empty temporary file in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    return Path(name)


def cannot_write(path: Path, error: OSError) -> DataError:
    """Returns the error that says why a path cannot be written, and the remedy."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    remedy = "free some space" if full else "choose a writable folder"
    return DataError(f"{path}: cannot be written ({error.strerror or error}); {remedy}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
