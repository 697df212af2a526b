"""Feature files: embeddings with their identities in a NumPy ``.npz`` archive (no pickles).

Keys: ``features`` (N, D), ``pids`` (N,), and optionally ``camids`` (N,) and ``paths`` (N,) text.
A folder is read as a feature store (``apnet.retrieval.files.store``).
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.errors import DataError
from apnet.files import atomic_write
from apnet.retrieval.files.store import is_store, load_store
from apnet.types import NO_CAMERA, Embeddings

_REQUIRED = ("features", "pids")
_KEYS = (*_REQUIRED, "camids", "paths")
_EXACT_IN_FLOAT32 = 1 << 24
_EXACT_IN_FLOAT64 = 1 << 53
_DAMAGE = (OSError, ValueError, EOFError, MemoryError, RuntimeError, SyntaxError)
_DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, KeyError)


def load_features(path: Path) -> Embeddings:
    """Reads a feature file, or a feature store.

    Float32 and float64 features keep their type, float16 becomes float32, and integers become
    float32 if it represents them exactly, else float64. Without ``camids`` all cameras are unknown.

    Args:
        path: an ``.npz`` archive as ``save_features`` or ``numpy.savez`` writes it, or the folder
            that ``apnet embed`` wrote, whose float32 features are memory-mapped.

    Raises:
        DataError: the file is missing, damaged, empty or not an ``.npz`` archive, or an array is
            missing, of a wrong type or shape, or not finite.
    """
    if is_store(path):
        return load_store(path)
    arrays = _read(path)
    missing = [key for key in _REQUIRED if key not in arrays]
    if missing:
        present = ", ".join(sorted(arrays)) or "nothing"
        raise DataError(
            f"{path}: has no array '{missing[0]}' (it holds {present}); "
            "save it with numpy.savez(file, features=..., pids=..., camids=...)"
        )
    features = _as_features(path, arrays["features"])
    camids = arrays.get("camids", np.full(len(features), NO_CAMERA))
    try:
        return Embeddings(
            features=features,
            pids=_as_numbers(path, "pids", arrays["pids"]),
            camids=_as_numbers(path, "camids", camids),
            paths=_as_texts(path, arrays["paths"]) if "paths" in arrays else (),
        )
    except DataError as error:
        named = str(error).startswith(str(path))
        raise (
            error if named else DataError(f"{path}: {error}; extract the features again")
        ) from None


def save_features(path: Path, embeddings: Embeddings) -> None:
    """Writes a feature file atomically.

    Args:
        path: the file; an existing one is replaced.
        embeddings: the content; ``paths`` is written only if there are any.

    Raises:
        DataError: the folder is not writable or the disk is full; ``path`` is unchanged.
    """
    arrays: dict[str, NDArray[Any]] = {
        "features": embeddings.features,
        "pids": embeddings.pids,
        "camids": embeddings.camids,
    }
    if embeddings.paths:
        arrays["paths"] = np.array(embeddings.paths, dtype=np.str_)
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise DataError(f"{path}: no such file; give a feature file (.npz) or store")
    try:
        with path.open("rb") as file:
            return _arrays_in(path, np.load(file, allow_pickle=False))
    except (*_DAMAGE, *_DAMAGED_ZIP) as error:
        if "pickle" in str(error).lower():
            raise DataError(
                f"{path}: holds pickled Python objects, which are not read; save plain arrays: "
                "numbers for features, pids and camids, dtype=str for paths"
            ) from None
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{path}: cannot be read as an .npz archive ({reason}); write it again"
        ) from None


def _arrays_in(path: Path, archive: Any) -> dict[str, NDArray[Any]]:
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise DataError(
            f"{path}: is a single array, not an .npz archive; "
            "save it with numpy.savez(file, features=..., pids=..., camids=...)"
        )
    unread = np.empty(0)  # other arrays are named in the error for a missing key, but not read
    return {key: archive[key] if key in _KEYS else unread for key in archive.files}


def _as_features(path: Path, values: NDArray[Any]) -> NDArray[np.floating]:
    if values.ndim != 2:
        raise DataError(
            f"{path}: 'features' must have shape (images, dimensions), got {values.shape}; "
            "flatten each image's feature to one row"
        )
    if not values.size:
        raise DataError(f"{path}: holds no features (shape {values.shape}); extract them again")
    if values.dtype.kind == "f" and values.dtype.itemsize <= 8:
        kind: type[np.floating] = np.float64 if values.dtype.itemsize == 8 else np.float32
    elif values.dtype.kind in "iub":
        kind = _exact_type(path, values)
    else:
        raise DataError(
            f"{path}: 'features' must be float16, float32, float64 or whole numbers, "
            f"got {values.dtype}; convert them with .astype(numpy.float32)"
        )
    return np.ascontiguousarray(values, dtype=kind)


def _exact_type(path: Path, values: NDArray[Any]) -> type[np.floating]:
    """Returns the smaller float type that represents these integers exactly."""
    largest = max(abs(int(values.min())), abs(int(values.max())))
    if largest > _EXACT_IN_FLOAT64:
        raise DataError(
            f"{path}: 'features' holds {largest}, beyond 2^53; scale or convert them to float64"
        )
    return np.float32 if largest <= _EXACT_IN_FLOAT32 else np.float64


def _as_numbers(path: Path, name: str, values: NDArray[Any]) -> NDArray[np.int64]:
    if values.dtype.kind in "US":
        raise DataError(
            f"{path}: '{name}' holds text, not numbers; number the names of query and gallery "
            "together, for example with numpy.unique(names, return_inverse=True)"
        )
    if values.dtype.kind not in "iu" or (
        values.dtype == np.uint64 and values.size and values.max() >= 1 << 63
    ):
        raise DataError(
            f"{path}: '{name}' must be whole numbers that fit int64, got {values.dtype}; "
            "convert them with .astype(numpy.int64)"
        )
    return np.ascontiguousarray(values, dtype=np.int64)


def _as_texts(path: Path, values: NDArray[Any]) -> tuple[str, ...]:
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "surrogateescape")
    if values.dtype.kind != "U" or values.ndim != 1:
        raise DataError(
            f"{path}: 'paths' must be one text per image, got {values.dtype} of shape "
            f"{values.shape}; save numpy.array(paths, dtype=str) or leave it out"
        )
    return tuple(values.tolist())
