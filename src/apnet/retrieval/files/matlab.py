"""Feature files as MATLAB ``.mat``: one variable per array; 7.3 files, which are HDF5, are read.

The layout of re-identification toolkits has both halves in one file: ``query_f``, ``query_label``,
``query_cam``, ``gallery_f``, ``gallery_label``, ``gallery_cam``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.errors import DataError
from apnet.extras import require
from apnet.files import atomic_write
from apnet.files.matlab5 import read_variables
from apnet.retrieval.files.contents import Arrays, Contents, Format, readable
from apnet.retrieval.files.hdf5 import EXTRA, open_hdf5

_HEADER = 512
"""Bytes before the HDF5 part of a file of version 7.3."""


@contextlib.contextmanager
def open_matlab(path: Path) -> Iterator[Contents]:
    """Opens a file; a variable is read when it is asked for.

    Raises:
        DataError: it is damaged or no MATLAB file of version 5 or later, or a variable that is
            read is complex, sparse, a struct, an object, or a cell array of anything but text.
        MissingExtraError: h5py, which reads files of version 7.3, is not installed.
    """
    if _is_hdf5(path):
        with _open_hdf5(path) as contents:
            yield contents
        return
    with readable(path, "a MATLAB file"):
        variables = read_variables(path)

        def read(key: str, name: str) -> Any:
            return _vector(key, _checked(path, name, variables[name].value()))

        yield Contents(tuple(variables), read)


def write_matlab(path: Path, arrays: Arrays) -> None:
    """Writes one variable per array atomically; ``paths`` become a cell array of text.

    Raises:
        DataError: an array is too large for the format (4 GiB), a path is no UTF-8, the folder is
            not writable, or the disk is full; ``path`` is unchanged.
        MissingExtraError: scipy is not installed.
    """
    matlab = require("scipy.io", EXTRA)
    content = {
        name: values.astype(object) if values.ndim and values.dtype.kind == "U" else values
        for name, values in arrays.items()
    }
    with atomic_write(path) as part, part.open("wb") as file:
        try:
            matlab.savemat(file, content)
        except (matlab.matlab.MatWriteError, UnicodeEncodeError) as error:
            raise DataError(f"{path}: cannot be written ({error}); use .npz or .h5") from None


def _is_hdf5(path: Path) -> bool:
    with readable(path, "a MATLAB file"), path.open("rb") as file:
        file.seek(_HEADER)
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


@contextlib.contextmanager
def _open_hdf5(path: Path) -> Iterator[Contents]:
    with open_hdf5(path) as contents:

        def read(key: str, name: str) -> Any:
            if key in ("paths", "fingerprint"):
                raise DataError(
                    f"{path}: '{name}' is text in a file of version 7.3, which is not read; save "
                    "it with save(file, ..., '-v7'), or leave it out"
                )
            found = np.asarray(contents.read(key, name)).T  # MATLAB stores columns first
            return _vector(key, found)

        names = tuple(name for name in contents.names if not name.startswith("#"))
        yield Contents(names, read)


def _checked(path: Path, name: str, found: NDArray[Any] | None) -> NDArray[Any]:
    if found is None:
        raise DataError(
            f"{path}: '{name}' is complex, sparse, a struct, an object or a cell array, which is "
            "not read; save plain matrices of numbers, and paths as a cell array of text"
        )
    return found


def _vector(key: str, values: NDArray[Any]) -> NDArray[Any]:
    """Returns a row or column of ids as a vector, and doubles as whole numbers if they are."""
    if key == "features":
        return values
    if values.ndim == 2 and 1 in values.shape:
        values = values.ravel()
    if values.dtype.kind == "f" and np.all(values == np.floor(values)):
        with np.errstate(invalid="ignore"):
            whole = values.astype(np.int64)
        return whole if np.array_equal(whole, values) else values
    return values


FORMAT = Format(open_matlab, write_matlab)
