"""Turns the named arrays of a feature file into ``Embeddings``, whatever format they came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.errors import DataError
from apnet.retrieval.files.contents import Arrays
from apnet.types import NO_CAMERA, Embeddings

_EXACT_IN_FLOAT32 = 1 << 24
_EXACT_IN_FLOAT64 = 1 << 53


def embeddings_of(path: Path, arrays: Arrays) -> Embeddings:
    """Checks arrays and returns them as embeddings.

    Args:
        path: of the file, for errors.
        arrays: ``features`` (N, D), ``pids`` (N,), and where there are ``camids`` (N,), ``paths``
            (N,) and ``fingerprint`` (one text).

    Raises:
        DataError: an array is of a wrong type or shape, empty or not finite, or a feature is zero.
    """
    features = _as_features(path, np.asarray(arrays["features"]))
    _check_lengths(path, features)
    camids = arrays.get("camids", np.full(len(features), NO_CAMERA))
    try:
        return Embeddings(
            features=features,
            pids=_as_numbers(path, "pids", arrays["pids"]),
            camids=_as_numbers(path, "camids", camids),
            paths=_as_texts(path, arrays["paths"]) if "paths" in arrays else (),
            fingerprint=_as_text(path, arrays["fingerprint"]) if "fingerprint" in arrays else None,
        )
    except DataError as error:
        named = str(error).startswith(str(path))
        raise (
            error if named else DataError(f"{path}: {error}; extract the features again")
        ) from None


def arrays_of(embeddings: Embeddings) -> dict[str, NDArray[Any]]:
    """Returns what a file keeps of embeddings; ``paths`` and ``fingerprint`` if there are any."""
    arrays: dict[str, NDArray[Any]] = {
        "features": embeddings.features,
        "pids": embeddings.pids,
        "camids": embeddings.camids,
    }
    if embeddings.paths:
        arrays["paths"] = np.array(embeddings.paths, dtype=np.str_)
    if embeddings.fingerprint is not None:
        arrays["fingerprint"] = np.array(embeddings.fingerprint, dtype=np.str_)
    return arrays


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


def _check_lengths(path: Path, features: NDArray[np.floating]) -> None:
    empty = ~features.any(axis=1)
    if empty.any():
        raise DataError(
            f"{path}: {int(empty.sum()):,} of {len(features):,} rows of 'features' are zero, the "
            f"first is row {int(np.argmax(empty))}; a zero vector is similar to nothing: extract "
            "these images again, or leave them out"
        )


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


def _as_text(path: Path, values: NDArray[Any]) -> str:
    if values.dtype.kind != "U" or values.size != 1:
        raise DataError(
            f"{path}: 'fingerprint' must be one text, got {values.dtype} of shape {values.shape}; "
            "save numpy.array(fingerprint) or leave it out"
        )
    return str(values.item())
