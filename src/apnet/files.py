"""Files appear whole or not at all: written beside their place, flushed, then renamed over it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apnet.errors import DataError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path``; on success it takes ``path``'s place, else it goes.

    Raises:
        DataError: the folder is not writable or the disk is full; ``path`` is as it was before.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise cannot_write(path, error) from None
    os.close(handle)
    part = Path(name)
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


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text atomically.

    Raises:
        DataError: the folder is not writable or the disk is full.
    """
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes indented JSON atomically.

    Raises:
        DataError: the folder is not writable or the disk is full.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


@contextlib.contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Locks an existing folder against other processes that hold it too; see ``hold``.

    Processes that are forked meanwhile do not keep the lock.

    Raises:
        DataError: another process holds it.
    """
    if sys.platform == "win32":  # folders cannot be opened there
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    _held.add(descriptor)
    try:
        hold(folder, descriptor)
        yield
    finally:
        _held.discard(descriptor)
        os.close(descriptor)


def hold(path: Path, descriptor: int) -> None:
    """Locks an open file or folder against other writers, where the system can.

    The lock ends when the descriptor is closed, at the latest with the process.

    Raises:
        DataError: another process holds it.
    """
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DataError(f"{path}: another process is writing there; wait for its end") from None
    except OSError:
        return  # a file system without locks


def cannot_write(path: Path, error: OSError) -> DataError:
    """Returns the error to raise, with its remedy."""
    remedy = "free some space" if error.errno == errno.ENOSPC else "choose a writable folder"
    return DataError(f"{path}: cannot be written ({error.strerror or error}); {remedy}")


_held: set[int] = set()


def _let_go_in_child() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_let_go_in_child)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
