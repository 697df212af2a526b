"""The formats of feature files, by suffix.

To add one, write a file with two functions, one that opens a file as ``Contents`` and one that
writes arrays, and add a line to ``FORMATS``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from apnet.errors import DataError
from apnet.files import is_file
from apnet.retrieval.files.contents import Arrays, Contents
from apnet.retrieval.files.hdf5 import open_hdf5, write_hdf5
from apnet.retrieval.files.matlab import open_matlab, write_matlab
from apnet.retrieval.files.npy_csv import both_files, open_npy_csv, write_npy_csv
from apnet.retrieval.files.npz import open_npz, write_npz
from apnet.retrieval.files.store import is_store
from apnet.retrieval.files.torch_file import open_torch, write_torch


@dataclass(frozen=True)
class Format:
    """How the arrays of a feature file are read and written."""

    open: Callable[[Path], AbstractContextManager[Contents]]
    write: Callable[[Path, Arrays], None]


FORMATS: dict[str, Format] = {
    ".npz": Format(open_npz, write_npz),
    ".npy": Format(open_npy_csv, write_npy_csv),
    ".csv": Format(open_npy_csv, write_npy_csv),
    ".pt": Format(open_torch, write_torch),
    ".pth": Format(open_torch, write_torch),
    ".h5": Format(open_hdf5, write_hdf5),
    ".hdf5": Format(open_hdf5, write_hdf5),
    ".mat": Format(open_matlab, write_matlab),
}
"""Every format by the suffix of its files."""


def format_of(path: Path) -> Format:
    """Returns the format of a file by its suffix.

    Raises:
        DataError: there is no such format.
    """
    if path.suffix.lower() not in FORMATS:
        raise DataError(
            f"{path}: no feature file by its suffix '{path.suffix}'; give {', '.join(FORMATS)}, or "
            "the folder of a feature store"
        )
    return FORMATS[path.suffix.lower()]


def is_features(path: Path) -> bool:
    """Returns whether a path is a feature store, or has the name of a feature file.

    A ``.csv`` file counts only beside its ``.npy``, as tables of images have that suffix too.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return is_file(both_files(path)[0])
    return suffix in FORMATS or is_store(path)
