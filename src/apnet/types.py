"""Data types shared by the whole package: image records, data sets, embeddings.

Arrays are C-contiguous numpy arrays; ``pid`` is an identity, ``camid`` a camera. ``NO_CAMERA``
marks an unknown camera; a set is *camera-less* if all of its cameras are unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from apnet.errors import DataError

NO_CAMERA = -1
"""The ``camid`` of an image whose camera is unknown."""

JUNK_PID = -1
"""The ``pid`` of a junk image, neither right nor wrong as a result (Market-1501's ``-1``)."""


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image of one person: its file, identity and camera."""

    path: Path
    pid: int
    camid: int = NO_CAMERA


@dataclass(frozen=True)
class ReidDataset:
    """A re-identification data set: training images, query images, gallery images.

    Attributes:
        name: its name in ``apnet.data.DATASETS``, such as ``"market1501"``.
        root: the folder (or table) it was read from.
        train: training images; empty for a set to test on only. Their pids should be disjoint from
            the test pids (``apnet data check`` checks it).
        query: query images; query and gallery are empty for a set to train on only.
        gallery: gallery images with distractors, without junk.
        notes: sentences on what the loader left out or assumed, printed with every result.
    """

    name: str
    root: Path
    train: tuple[ImageRecord, ...]
    query: tuple[ImageRecord, ...]
    gallery: tuple[ImageRecord, ...]
    notes: tuple[str, ...] = ()

    @property
    def camera_less(self) -> bool:
        """Whether no test image has a known camera, so that no same-camera match is removed."""
        return all(record.camid == NO_CAMERA for record in (*self.query, *self.gallery))


def pids_of(records: Iterable[ImageRecord]) -> tuple[int, ...]:
    """Returns the sorted, distinct pids; the training label of a pid is its index in them."""
    return tuple(sorted({record.pid for record in records}))


def labels_of(records: Iterable[ImageRecord]) -> list[int]:
    """Returns the training label of each record: the index of its pid in ``pids_of``."""
    records = tuple(records)
    index = {pid: label for label, pid in enumerate(pids_of(records))}
    return [index[record.pid] for record in records]


@dataclass(frozen=True)
class Embeddings:
    """Features of N images with their identities and cameras.

    Attributes:
        features: (N, D) float32 or float64, finite, not necessarily normalised.
        pids: (N,) int64.
        camids: (N,) int64, ``NO_CAMERA`` where unknown.
        paths: N file names, or empty if the features did not come from files.

    Raises:
        DataError: on construction, when shapes disagree or a feature is not finite.
    """

    features: NDArray[np.floating]
    pids: NDArray[np.int64]
    camids: NDArray[np.int64]
    paths: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.features.ndim != 2:
            raise DataError(f"features must be (N, D), got shape {self.features.shape}")
        count = len(self.features)
        for name, values in (("pids", self.pids), ("camids", self.camids)):
            if values.shape != (count,):
                raise DataError(
                    f"{name} must have shape ({count},) as there are {count} features, "
                    f"got {values.shape}"
                )
        if self.paths and len(self.paths) != count:
            raise DataError(f"{len(self.paths)} paths for {count} features")
        for start in range(0, count, 4096):  # in blocks, to keep the mask small
            finite = np.isfinite(self.features[start : start + 4096]).all(axis=1)
            if not finite.all():
                row = start + int(np.flatnonzero(~finite)[0])
                where = f" ({self.paths[row]})" if self.paths else ""
                raise DataError(f"feature row {row}{where} contains NaN or infinity")

    def __len__(self) -> int:
        return len(self.features)

    @classmethod
    def of(cls, features: NDArray[np.floating], records: Sequence[ImageRecord]) -> Embeddings:
        """Returns (N, D) features with the identities, cameras and paths of N records."""
        return cls(
            features=features,
            pids=np.array([record.pid for record in records], dtype=np.int64),
            camids=np.array([record.camid for record in records], dtype=np.int64),
            paths=tuple(str(record.path) for record in records),
        )
