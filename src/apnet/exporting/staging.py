"""Files that appear under their names only once all of them are written and checked."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from apnet.errors import DataError
from apnet.files import LOCK_NAME, cannot_write, file_lock

_SUFFIX = ".part"


@contextlib.contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Yields a temporary folder beside ``out``; on success all that is in it moves beside ``out``.

    Companions come first, ``out`` last. After an error nothing is left, and what was there before
    is untouched. What a killed process left of the same ``out`` is removed.

    Raises:
        DataError: the folder is not writable, or the disk is full.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear_left(out)
        with (
            tempfile.TemporaryDirectory(
                prefix=f".{out.name}.", suffix=_SUFFIX, dir=out.parent
            ) as name,
            file_lock(Path(name)),
        ):
            folder = Path(name)
            yield folder
            made = [path for path in folder.iterdir() if path.name != LOCK_NAME]
            for path in sorted(made, key=lambda path: path.name == out.name):
                _flushed(path)
                path.replace(out.parent / path.name)
    except OSError as error:
        raise cannot_write(out, error) from None


def _clear_left(out: Path) -> None:
    for left in out.parent.glob(f".{glob.escape(out.name)}.*{_SUFFIX}"):
        if left.is_dir():
            with contextlib.suppress(DataError), file_lock(left):  # a process at work has its lock
                shutil.rmtree(left, ignore_errors=True)


def _flushed(path: Path) -> None:
    files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    for each in files:
        with each.open("rb") as written:
            os.fsync(written.fileno())
