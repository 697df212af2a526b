"""Files that appear under their names only once all of them are written and checked."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from apnet.files import cannot_write


@contextlib.contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Yields a temporary folder beside ``out``; on success all that is in it moves beside ``out``.

    Companions come first, ``out`` last. After an error nothing is left, and what was there before
    is untouched.

    Raises:
        DataError: the folder is not writable, or the disk is full.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f".{out.name}.", suffix=".part", dir=out.parent
        ) as name:
            folder = Path(name)
            yield folder
            for path in sorted(folder.iterdir(), key=lambda path: path.name == out.name):
                _flushed(path)
                path.replace(out.parent / path.name)
    except OSError as error:
        raise cannot_write(out, error) from None


def _flushed(path: Path) -> None:
    files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    for each in files:
        with each.open("rb") as written:
            os.fsync(written.fileno())
