"""Data types shared by the whole package: image records, data sets, embeddings.

Arrays are C-contiguous numpy arrays; ``pid`` is an identity, ``camid`` a camera. ``NO_CAMERA``
marks an unknown camera; a set is *camera-less* if all of its cameras are unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apnet.display import html_table, summarised, text_summary
from apnet.errors import DataError
from apnet.extras import require

if TYPE_CHECKING:  # imported where it is used: listing data sets needs no numpy
    import numpy as np
    from numpy.typing import NDArray

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


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        rows: dict[str, object] = {"root": self.root}
        rows |= {split: counts(records) for split, records in self._splits()}
        if self.notes:
            rows["notes"] = f"{len(self.notes)}, the first: {self.notes[0]}"
        return text_summary(f"ReidDataset '{self.name}'", rows)

    def _repr_html_(self) -> str:
        rows = [
            (
                split,
                f"{len(records):,}",
                f"{len(pids_of(records)):,}",
                f"{len(_cameras(records)):,}",
            )
            for split, records in self._splits()
        ]
        header = ("split", "images", "identities", "cameras")
        return html_table(f"{self.name} in {self.root}", header, rows, " · ".join(self.notes))

    def _splits(self) -> list[tuple[str, tuple[ImageRecord, ...]]]:
        return [("train", self.train), ("query", self.query), ("gallery", self.gallery)]


def counts(records: Sequence[ImageRecord]) -> str:
    """Returns the numbers of images, identities and known cameras, as text."""
    return (
        f"{len(records):,} images, {len(pids_of(records)):,} identities, "
        f"{len(_cameras(records)):,} cameras"
    )


def _cameras(records: Iterable[ImageRecord]) -> set[int]:
    return {record.camid for record in records} - {NO_CAMERA}


def pids_of(records: Iterable[ImageRecord]) -> tuple[int, ...]:
    """Returns the sorted, distinct pids; the training label of a pid is its index in them."""
    return tuple(sorted({record.pid for record in records}))


def labels_of(records: Iterable[ImageRecord]) -> list[int]:
    """Returns the training label of each record: the index of its pid in ``pids_of``."""
    records = tuple(records)
    index = {pid: label for label, pid in enumerate(pids_of(records))}
    return [index[record.pid] for record in records]


@summarised
@dataclass(frozen=True, repr=False)
class Embeddings:
    """Features of N images with their identities and cameras.

    ``len``, indices, slices, lists and masks work as on an array of N rows; an index gives one row.
    ``numpy.asarray`` gives the features.

    Attributes:
        features: (N, D) float32 or float64, finite, not necessarily normalised.
        pids: (N,) int64, ``JUNK_PID`` where unknown.
        camids: (N,) int64, ``NO_CAMERA`` where unknown.
        paths: N file names, or empty if the features did not come from files.
        fingerprint: of the network that computed them, ``None`` where unknown.

    Raises:
        DataError: on construction, when shapes disagree or a feature is not finite.
    """

    features: NDArray[np.floating]
    pids: NDArray[np.int64]
    camids: NDArray[np.int64]
    paths: tuple[str, ...] = ()
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        if self.features.ndim != 2:
            raise DataError(f"features must be (N, D), got shape {self.features.shape}")
        import numpy as np

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

    def __getitem__(self, rows: int | slice | Sequence[int] | NDArray[Any]) -> Embeddings:
        """Returns the rows of an index, slice, list of indices, or (N,) mask."""
        if isinstance(rows, int | Integral):  # also a number of numpy's
            rows = int(rows)
            if not -len(self) <= rows < len(self):
                raise IndexError(f"row {rows} of {len(self)} embeddings")
            rows = [rows]
        picked = rows if isinstance(rows, slice) else _indices(rows, len(self))
        if not self.paths:
            paths: tuple[str, ...] = ()
        elif isinstance(picked, slice):
            paths = self.paths[picked]
        else:
            paths = tuple(self.paths[row] for row in picked.tolist())
        return Embeddings(
            self.features[picked], self.pids[picked], self.camids[picked], paths, self.fingerprint
        )

    def __add__(self, other: Embeddings) -> Embeddings:
        if not isinstance(other, Embeddings):
            return NotImplemented
        return Embeddings.joined([self, other])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        import numpy as np

        return np.array(self.features, dtype=dtype, copy=True if copy else None)

    def _rows(self) -> dict[str, object]:
        known = set(self.pids.tolist()) - {JUNK_PID}
        rows: dict[str, object] = {
            "features": f"{len(self):,} x {self.features.shape[1]:,} {self.features.dtype}",
            "identities": f"{len(known):,}" if known else "unknown",
            "cameras": f"{len(set(self.camids.tolist()) - {NO_CAMERA}):,} known",
        }
        if self.paths:
            rows["paths"] = self.paths[0] + (", ..." if len(self.paths) > 1 else "")
        if self.fingerprint:
            rows["network"] = self.fingerprint
        return rows

    def to_frame(self) -> Any:
        """Returns a pandas ``DataFrame``: path, pid, camid, and one column ``f0``, ... per number.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        pandas = require("pandas", "pandas")
        known: dict[str, Any] = {"path": list(self.paths)} if self.paths else {}
        frame = pandas.DataFrame({**known, "pid": self.pids, "camid": self.camids})
        names = [f"f{column}" for column in range(self.features.shape[1])]
        features = pandas.DataFrame(self.features, columns=names)
        return pandas.concat([frame, features], axis=1)

    @classmethod
    def joined(cls, several: Sequence[Embeddings]) -> Embeddings:
        """Returns the rows of several embeddings, one after another.

        Paths are kept where all have them.

        Raises:
            DataError: there are none, or they are of different lengths D or networks.
        """
        import numpy as np

        if not several:
            raise DataError("no embeddings to join; give at least one")
        widths = {each.features.shape[1] for each in several}
        if len(widths) > 1:
            raise DataError(f"embeddings of different lengths cannot be joined: {sorted(widths)}")
        networks = {each.fingerprint for each in several}
        check_same_network(networks)
        named = all(each.paths for each in several)
        return cls(
            np.concatenate([each.features for each in several]),
            np.concatenate([each.pids for each in several]),
            np.concatenate([each.camids for each in several]),
            tuple(path for each in several for path in each.paths) if named else (),
            networks.pop() if len(networks) == 1 else None,
        )

    @classmethod
    def of(
        cls,
        features: NDArray[np.floating],
        records: Sequence[ImageRecord],
        fingerprint: str | None = None,
    ) -> Embeddings:
        """Returns (N, D) features with the identities, cameras and paths of N records."""
        import numpy as np

        return cls(
            fingerprint=fingerprint,
            features=features,
            pids=np.array([record.pid for record in records], dtype=np.int64),
            camids=np.array([record.camid for record in records], dtype=np.int64),
            paths=tuple(str(record.path) for record in records),
        )


def check_same_network(fingerprints: Iterable[str | None]) -> None:
    """Checks that embeddings come from one network, as far as that is known.

    Raises:
        DataError: there are two.
    """
    known = sorted(each for each in set(fingerprints) if each is not None)
    if len(known) > 1:
        raise DataError(
            f"embeddings of different networks ({', '.join(known)}) cannot be compared; embed all "
            "images with one network"
        )


def _indices(rows: Sequence[int] | NDArray[Any], count: int) -> NDArray[np.int64]:
    """Returns the indices that a list of them, or a mask of ``count`` rows, names."""
    import numpy as np

    array = np.asarray(rows)
    if array.dtype == np.bool_:
        if array.shape != (count,):
            raise IndexError(f"a mask of shape {array.shape} for {count} embeddings")
        return np.flatnonzero(array)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise IndexError(
            "embeddings take an index, a slice, a list of indices or a mask, got "
            f"{array.dtype} of shape {array.shape}"
        )
    return array.astype(np.int64)
