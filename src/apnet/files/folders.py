"""Output folders: taking one for a new output, and keeping other processes out."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator
from pathlib import Path

from apnet.errors import ConfigError, DataError
from apnet.files.writing import cannot_write

LOCK_NAME = ".apnet.lock"
"""The lock file of a folder; it exists while a process writes there."""

_PART = re.compile(r"\..+\.[a-z0-9_]{8}\.part|\.tmp[A-Za-z0-9]{6}")
"""Names of what is being written: those of ``atomic_write``, and of safetensors within it."""

_UNWRITABLE = {
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOENT, errno.ENOTDIR, errno.EEXIST),
    *(errno.ENOSPC, errno.EDQUOT),
}
"""Errors that say that a lock file cannot be created, rather than that locks do not work."""


@contextlib.contextmanager
def file_lock(folder: Path) -> Iterator[None]:
    """Locks an existing folder against other processes that lock it, without waiting.

    The lock is on the file ``LOCK_NAME`` in the folder, which is removed at the end. The operating
    system releases the lock when the process dies; forked children do not keep it. On a file system
    without locks this does nothing. What a killed process left half written is removed.

    Raises:
        DataError: another process has the lock, or the lock file cannot be created.
    """
    from filelock import FileLock, Timeout

    path = folder / LOCK_NAME
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise DataError(f"{folder}: another process is writing there; wait for its end") from None
    except (OSError, NotImplementedError) as error:  # others: a file system without locks
        if isinstance(error, OSError) and error.errno in _UNWRITABLE:
            raise cannot_write(folder, error) from None
    else:
        clear_parts(folder)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes no open file
            path.unlink(missing_ok=True)  # before the release: afterwards it may be another's
        lock.release()


def clear_parts(folder: Path) -> None:
    """Removes what killed processes left half written in a folder that this process has locked."""
    for left in folder.glob(".*"):
        if _PART.fullmatch(left.name):
            left.unlink(missing_ok=True)


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
