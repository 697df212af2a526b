"""Checks of feature arrays: dimensions, lengths, and the precision that they need."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from apnet.errors import DataError
from apnet.retrieval.ranking.scorer import Features, Keys

_BLOCK_BYTES = 1 << 20
"""Float64 working memory of one step in bytes; it fits into the processor's cache."""

_FLOAT32_NORMS = (1e-12, 1e12)
_FLOAT64_NORMS = (1e-70, 1e70)


def check_dimensions(query: Features, gallery: Features) -> None:
    """Checks that two feature arrays, (Q, D) and (G, D), have the same dimensions D.

    Raises:
        DataError: the dimensions differ.
    """
    if query.shape[1] != gallery.shape[1]:
        raise DataError(
            f"query features have {query.shape[1]} dimensions and gallery features "
            f"{gallery.shape[1]}; both must come from one and the same model"
        )


def square_norms(features: Features) -> Keys:
    """Returns squared lengths (N,) in float64, above 0 for all but zero vectors.

    Args:
        features: (N, D) float32 or float64, finite.
    """
    squares = np.empty(len(features))
    for block in _row_blocks(features):
        wide = features[block].astype(np.float64)
        with np.errstate(over="ignore", under="ignore"):  # working_precision refuses the result
            wide *= wide
            squares[block] = wide.sum(axis=1)
    lost = features[squares == 0].any(axis=1)
    squares[np.flatnonzero(squares == 0)[lost]] = np.finfo(np.float64).tiny
    return squares


def _row_blocks(features: Features) -> Iterator[slice]:
    step = max(1, _BLOCK_BYTES // (8 * max(1, features.shape[1])))
    return (slice(start, start + step) for start in range(0, len(features), step))


def working_precision(dtype: np.dtype[np.floating], norms: Keys) -> type[np.floating]:
    """Returns float32 if type and lengths of the features allow it, else float64.

    Args:
        dtype: the common type of query and gallery.
        norms: lengths of all vectors.

    Raises:
        DataError: a length is outside 1e-70 to 1e70, and not 0.
    """
    if not _within(norms, _FLOAT64_NORMS):
        raise DataError(
            "the length of a feature vector is outside 1e-70 to 1e70 and cannot be compared; "
            "scale all features by one factor"
        )
    fits = dtype.itemsize <= np.dtype(np.float32).itemsize and _within(norms, _FLOAT32_NORMS)
    return np.float32 if fits else np.float64


def _within(norms: Keys, limits: tuple[float, float]) -> bool:
    return bool(np.all((norms == 0) | ((norms >= limits[0]) & (norms <= limits[1]))))
