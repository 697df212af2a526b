"""The gate that every path named by a user passes before it is opened.

What the system refuses becomes a ``DataError`` that names the path, the cause and the remedy. Only
regular files and folders pass: opening a FIFO waits for a writer, and a device has no end.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from apnet.errors import DataError

MOST_TEXT = 256 * 2**20
"""Bytes of the largest text file that is read."""

_REFUSALS = {
    errno.ENOENT: ("there is no such file or folder", "check the name"),
    errno.ENOTDIR: ("a part of this path is a file, not a folder", "check the name"),
    errno.EACCES: ("you may not read it", "change its permissions"),
    errno.EPERM: ("you may not read it", "change its permissions"),
    errno.ELOOP: ("its symbolic links lead in a circle", "name the file itself"),
    errno.ENAMETOOLONG: ("the name is too long for the file system", "check the name"),
    errno.EISDIR: ("it is a folder", "name a file"),
    errno.EIO: ("the disk reports a fault", "copy the file from a backup"),
    errno.ENXIO: ("it is no regular file", "name a regular file"),
    errno.EMFILE: ("too many files are open", "raise the limit with 'ulimit -n'"),
    errno.ENFILE: ("too many files are open", "close other programs"),
    errno.ESTALE: ("its network folder has changed", "mount it again"),
    errno.ENOMEM: ("there is not enough memory", "close other programs"),
}


def check_path(path: Path) -> None:
    """Checks that the system can say what a path is; it need not be there.

    Raises:
        DataError: the system refuses to say it, or it is neither a regular file nor a folder.
    """
    _mode(path)


def is_file(path: Path) -> bool:
    """Returns whether a path is a regular file; raises as ``check_path`` does."""
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Returns whether a path is a folder; raises as ``check_path`` does."""
    return stat.S_ISDIR(_mode(path))


def is_there(path: Path) -> bool:
    """Returns whether a path is a file or folder; raises as ``check_path`` does."""
    return bool(_mode(path))


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """Returns what is in a folder, sorted by name.

    Raises:
        DataError: it cannot be listed.
    """
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise refusal(folder, error) from None


def read_bytes(path: Path, most: int) -> bytes:
    """Reads a regular file.

    Args:
        path: the file.
        most: its greatest size in bytes; a larger one is not read.

    Raises:
        DataError: it is missing, no regular file, too large, or cannot be read.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise refusal(path, OSError(errno.EISDIR, ""))
        _check_kind(path, status.st_mode)
        if status.st_size > most:
            raise DataError(
                f"{path}: larger than {most:,} bytes, the most that is read ({status.st_size:,}); "
                "name another file"
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise refusal(path, error) from None


def read_text(path: Path, most: int = MOST_TEXT) -> str:
    """Reads a text file in UTF-8, with or without a byte order mark.

    Args:
        path: the file.
        most: its greatest size in bytes.

    Raises:
        DataError: as for ``read_bytes``, or it is not UTF-8.
    """
    try:
        return read_bytes(path, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start} is no UTF-8 text; save the file as UTF-8"
        ) from None


def refusal(path: Path, error: OSError | ValueError) -> DataError:
    """Returns the error that says why the system refuses a path, and the remedy."""
    if isinstance(error, ValueError):  # a NUL character
        return DataError(f"{str(path)!r}: no path ({error}); check the name")
    words, remedy = _REFUSALS.get(
        error.errno or 0, (error.strerror or str(error) or type(error).__name__, "check the file")
    )
    return DataError(f"{path}: cannot be read: {words}; {remedy}")


def _mode(path: Path) -> int:
    """Returns the type bits of a file or folder, 0 where there is none."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except (OSError, ValueError) as error:
        raise refusal(path, error) from None
    _check_kind(path, mode)
    return mode


def _check_kind(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise DataError(
            f"{path}: neither a regular file nor a folder, but a {_kind(mode)}; name a file or "
            "folder"
        )


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
    return next((name for holds, name in kinds if holds(mode)), "device")
