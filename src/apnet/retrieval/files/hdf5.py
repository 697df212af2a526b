"""Feature files as HDF5, ``.h5`` and ``.hdf5``: one data set per array."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from apnet.errors import DataError
from apnet.extras import require
from apnet.files import atomic_write
from apnet.retrieval.files.contents import Arrays, Contents, Format, readable

EXTRA = "features"
"""The extra that installs h5py and scipy."""

_FINGERPRINT = "fingerprint"

_SMALLER = 1100
"""How many times smaller compressed numbers can be at most."""


_SMALLER_TEXTS = 16
"""The same of references to texts, of which no two are equal."""


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[Contents]:
    """Opens a file; the data sets of groups are named ``group/name``.

    Raises:
        DataError: it is damaged or no HDF5 file, or the values of an array that is read lie in
            another file.
        MissingExtraError: h5py is not installed.
    """
    h5py = require("h5py", EXTRA)
    with readable(path, "an HDF5 file"), h5py.File(path, "r") as file:
        names: list[str] = []

        def visit(name: str, entry: Any) -> None:
            names.extend([name] if isinstance(entry, h5py.Dataset) else [])

        file.visititems(visit)
        names.extend([_FINGERPRINT] if _FINGERPRINT in file.attrs else [])

        def read(key: str, name: str) -> Any:
            if key == _FINGERPRINT and _FINGERPRINT in file.attrs:
                return np.asarray(file.attrs[_FINGERPRINT], dtype=np.str_)
            return _array(path, file[name])

        yield Contents(tuple(names), read)


def write_hdf5(path: Path, arrays: Arrays) -> None:
    """Writes one data set per array, and the fingerprint as an attribute, atomically.

    Raises:
        DataError: the folder is not writable or the disk is full; ``path`` is unchanged.
        MissingExtraError: h5py is not installed.
    """
    h5py = require("h5py", EXTRA)
    with atomic_write(path) as part, h5py.File(part, "w") as file:
        for name, values in arrays.items():
            if name == _FINGERPRINT:
                file.attrs[name] = str(values)
            elif values.dtype.kind == "U":
                texts = np.char.encode(values, "utf-8", "surrogateescape").astype(object)
                file.create_dataset(name, data=texts, dtype=h5py.string_dtype())
            else:
                file.create_dataset(name, data=values)


def _array(path: Path, data: Any) -> Any:
    if data.external or data.is_virtual:
        raise DataError(
            f"{path}: the values of '{data.name}' lie in another file, which is not read; save "
            "them in this one"
        )
    kind = (data.dtype.metadata or {}).get("vlen")
    if data.dtype.kind == "O" and kind not in (str, bytes):
        raise DataError(
            f"{path}: '{data.name}' holds values of varying length; save arrays of numbers, and "
            "paths as text"
        )
    smaller = 1 if not data.chunks else _SMALLER if kind is None else _SMALLER_TEXTS
    if math.prod(data.shape) * data.dtype.itemsize > path.stat().st_size * smaller:
        raise DataError(f"{path}: '{data.name}' is said to be larger than the file; write it again")
    if kind is not None:
        return np.array(data.asstr("utf-8", "surrogateescape")[()], dtype=np.str_)
    return data[()]


FORMAT = Format(open_hdf5, write_hdf5)
