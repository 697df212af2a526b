"""The formats of feature files, by suffix.

To add one, write a file whose ``FORMAT`` opens a file as ``Contents`` and writes arrays, and add a
line to ``FORMATS``. A format's file is loaded on first use.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from apnet.errors import DataError
from apnet.files import is_file
from apnet.retrieval.files.contents import Format

FORMATS = {
    ".npz": "npz",
    ".npy": "npy_csv",
    ".csv": "npy_csv",
    ".pt": "torch_file",
    ".pth": "torch_file",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".mat": "matlab",
}
"""Every suffix of a feature file, and the file here that reads and writes it."""

STORE_HEADER = "store.json"
"""The file that makes a folder a feature store."""


def format_of(path: Path) -> Format:
    """Returns the format of a file by its suffix.

    Raises:
        DataError: there is no such format.
    """
    place = FORMATS.get(path.suffix.lower())
    if place is None:
        raise DataError(
            f"{path}: no feature file by its suffix '{path.suffix}'; give {', '.join(FORMATS)}, or "
            "the folder of a feature store"
        )
    found: Format = importlib.import_module(f"apnet.retrieval.files.{place}").FORMAT
    return found


def is_store(path: Path) -> bool:
    """Returns whether a path is a folder with a store's header."""
    return is_file(path / STORE_HEADER)


def is_features(path: Path) -> bool:
    """Returns whether a path is a feature store, or has the name of a feature file.

    A ``.csv`` file counts only beside its ``.npy``, as tables of images have that suffix too.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return is_file(path.with_suffix(".npy"))
    return suffix in FORMATS or is_store(path)
