"""Feature files as NumPy ``.npz`` archives; pickled objects are refused."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from apnet.errors import DataError
from apnet.files import atomic_write
from apnet.retrieval.files.contents import Arrays, Contents, Format, readable


@contextlib.contextmanager
def open_npz(path: Path) -> Iterator[Contents]:
    """Opens an archive; an array is read when it is asked for.

    Raises:
        DataError: it is damaged, not an archive, or an array that is read holds pickled objects.
    """
    with readable(path, "an .npz archive"), path.open("rb") as file, no_pickles(path):
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise DataError(
                f"{path}: is a single array, not an .npz archive; save it with numpy.savez(file, "
                "features=..., pids=..., camids=...), or as x.npy with its ids in x.csv"
            )

        def read(_key: str, name: str) -> Any:
            return archive[name]

        yield Contents(tuple(archive.files), read)


def write_npz(path: Path, arrays: Arrays) -> None:
    """Writes an archive atomically.

    Raises:
        DataError: the folder is not writable or the disk is full; ``path`` is unchanged.
    """
    named: dict[str, Any] = dict(arrays)
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez(file, **named)


@contextlib.contextmanager
def no_pickles(path: Path) -> Iterator[None]:
    """Says what to do where numpy refuses pickled objects.

    Raises:
        DataError: numpy refused some.
    """
    try:
        yield
    except ValueError as error:
        if "pickle" not in str(error).lower():
            raise
        raise DataError(
            f"{path}: holds pickled Python objects, which are not read; save plain arrays: "
            "numbers for features, pids and camids, dtype=str for paths"
        ) from None


FORMAT = Format(open_npz, write_npz)
