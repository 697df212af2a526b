"""Atomic file writes (temporary file, flush, rename) and a lock for output folders."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from apnet.errors import ConfigError, DataError

LOCK_NAME = ".apnet.lock"
"""The lock file of a folder; it exists while a process writes there."""

_UNWRITABLE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOENT, errno.ENOTDIR, errno.EEXIST),
    *(errno.ENOSPC, errno.EDQUOT),
}
"""Errors that say that a lock file cannot be created, rather than that locks do not work."""


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the folder of ``path``, which replaces ``path`` on success.

    The folder is created where it is missing. After an error the temporary file is removed.

    Raises:
        DataError: the folder is not writable or the disk is full; ``path`` is unchanged.
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
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes indented JSON atomically.

    Raises:
        DataError: the folder is not writable or the disk is full.
        ValueError: the value contains NaN or an infinity.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


@contextlib.contextmanager
def file_lock(folder: Path) -> Iterator[None]:
    """Locks an existing folder against other processes that lock it, without waiting.

    The lock is on the file ``LOCK_NAME`` in the folder, which is removed at the end. The operating
    system releases the lock when the process dies; forked children do not keep it. On a file system
    without locks this does nothing.

    Raises:
        DataError: another process has the lock, or the lock file cannot be created.
    """
    path = folder / LOCK_NAME
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise DataError(f"{folder}: another process is writing there; wait for its end") from None
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno in _UNWRITABLE:
            raise cannot_write(folder, error) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes no open file
            path.unlink(missing_ok=True)  # before the release: afterwards it may be another's
        lock.release()


def claim_folder(folder: Path, record: str, refusal: str) -> None:
    """Creates a folder for a new output, or takes an empty one; the one check for all outputs.

    What a killed call left of an unfinished ``record`` is removed; a lock file does not count.

    Args:
        folder: of the output.
        record: name of the file that is written into it first.
        refusal: what to say, after the folder's name, where it holds something else.

    Raises:
        ConfigError: the folder holds something else, or is a file.
        DataError: it cannot be created or read.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: {refusal}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f".{record}.*.part"):
            left.unlink(missing_ok=True)
        others = [entry.name for entry in folder.iterdir() if entry.name != LOCK_NAME]
    except OSError as error:
        raise cannot_write(folder, error) from None
    if others:
        raise ConfigError(f"{folder}: {refusal}")


def cannot_write(path: Path, error: OSError) -> DataError:
    """Returns the error that says why a path cannot be written, and the remedy."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    remedy = "free some space" if full else "choose a writable folder"
    return DataError(f"{path}: cannot be written ({error.strerror or error}); {remedy}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
