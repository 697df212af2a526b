"""The original CUHK03 release (images inside one HDF5 file) with the file of the new protocol.

``cuhk-03.mat`` holds per edition five camera pairs, each a table of persons x 10 references:
columns 1-5 are images of the first view, 6-10 of the second, each stored as (3, W, H) uint8; a
missing image is an empty array. ``cuhk03_new_protocol_config_{edition}.mat`` names the images
``pair_person_view_column.png`` (1-based) and gives pids, cameras and the splits' 1-based indices.

On first use the images are extracted into ``images_{edition}`` beside the protocol's file. The
folder appears when it is complete; after that only the protocol's file is read.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.data.listing import Listing, scan
from apnet.errors import DataError
from apnet.extras import require
from apnet.progress import Progress, silent
from apnet.types import ImageRecord

NAME = re.compile(r"(?P<pair>[1-5])_(?P<person>\d+)_[12]_(?P<column>0[1-9]|10)\.png")

_EXTRA = "cuhk03"
_INNER = ("", "cuhk03", "CUHK03", "cuhk03_release")


@dataclass(frozen=True)
class Release:
    """The paths of the release.

    Attributes:
        edition: ``labeled`` or ``detected``.
        protocol: ``cuhk03_new_protocol_config_{edition}.mat``.
        archive: ``cuhk-03.mat``, or None if only the extracted images are left.
    """

    edition: str
    protocol: Path
    archive: Path | None

    @property
    def images(self) -> Path:
        """The folder of extracted images."""
        return self.protocol.parent / f"images_{self.edition}"


@dataclass(frozen=True)
class _Protocol:
    names: tuple[str, ...]
    pids: NDArray[np.int64]
    camids: NDArray[np.int64]
    splits: dict[str, NDArray[np.int64]]


def find_release(root: Path, edition: str) -> Release | None:
    """Returns the release in ``root``, its parent or its usual subfolders; None if not found."""
    name = f"cuhk03_new_protocol_config_{edition}.mat"
    folders = [*(root / inner for inner in _INNER), root.parent]
    protocol = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if protocol is None:
        return None
    places = [folder / "cuhk-03.mat" for folder in (*folders, root / "cuhk03" / "cuhk03_release")]
    archive = next((place for place in places if place.is_file()), None)
    release = Release(edition, protocol, archive)
    return release if archive is not None or release.images.is_dir() else None


def read_release(release: Release, progress: Progress = silent) -> Listing:
    """Reads the protocol, and extracts the images on first use.

    Raises:
        DataError: a file is damaged, the files do not fit together, or the folder is not writable.
        MissingExtraError: scipy or h5py is not installed.
    """
    protocol = _read_protocol(release.protocol)
    if not release.images.is_dir() and release.archive is not None:
        _extract(release.archive, release, protocol.names, progress)
    _verify_extracted(release, protocol.names)
    return Listing(
        root=release.protocol.parent,
        train=_records(release, protocol, "train"),
        query=_records(release, protocol, "query"),
        gallery=_records(release, protocol, "gallery"),
        notes=(f"images extracted from cuhk-03.mat into {release.images.name}",),
    )


def _records(release: Release, protocol: _Protocol, split: str) -> tuple[ImageRecord, ...]:
    return tuple(
        ImageRecord(
            release.images / protocol.names[row], int(protocol.pids[row]), int(protocol.camids[row])
        )
        for row in protocol.splits[split]
    )


def _read_protocol(path: Path) -> _Protocol:
    scipy_io = require("scipy.io", _EXTRA)
    try:
        content = scipy_io.loadmat(path)
        names = tuple(str(cell.item()) for cell in content["filelist"].ravel())
        pids, camids = (_integers(content[key]) for key in ("labels", "camId"))
        splits = {
            split: _integers(content[f"{split}_idx"]) - 1 for split in ("train", "query", "gallery")
        }
    except Exception as error:  # damaged MATLAB files fail in scipy in many ways
        raise DataError(
            f"{path}: cannot be read as the CUHK03 new protocol ({error!r}); download it again"
        ) from None
    rows = np.concatenate(list(splits.values()))
    fits = len(names) == len(pids) == len(camids) and rows.min() >= 0 and rows.max() < len(names)
    if not fits or not all(NAME.fullmatch(name) for name in names):
        raise DataError(f"{path}: its file list, labels and splits do not fit; download it again")
    return _Protocol(names, pids, camids, splits)


def _integers(array: NDArray[Any]) -> NDArray[np.int64]:
    return array.ravel().astype(np.int64)


def _verify_extracted(release: Release, names: Sequence[str]) -> None:
    present = {entry.name for entry in scan(release.images)}
    missing = [name for name in names if name not in present]
    if missing:
        raise DataError(
            f"{release.images}: {len(missing):,} images of the protocol are missing, the first is "
            f"{missing[0]}; delete this folder, and it is extracted again from cuhk-03.mat"
        )


def _extract(archive: Path, release: Release, names: Sequence[str], progress: Progress) -> None:
    from PIL import Image

    h5py = require("h5py", _EXTRA)
    with _appearing(release.images) as part:
        try:
            with h5py.File(archive, "r") as opened:
                pairs = opened[release.edition][0]  # 5 references
                for done, name in enumerate(names, start=1):
                    Image.fromarray(_pixels(opened, pairs, name)).save(part / name)
                    progress(done, len(names))
        except (OSError, KeyError, ValueError, IndexError, TypeError) as error:
            raise DataError(
                f"{archive}: its '{release.edition}' images cannot be extracted into "
                f"{release.images} ({error}); check the free space, or download it again"
            ) from None


def _pixels(opened: Any, pairs: Any, name: str) -> NDArray[np.uint8]:
    match = NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"unexpected name {name}")
    table = opened[pairs[int(match["pair"]) - 1]]  # (10, persons)
    image = opened[table[int(match["column"]) - 1, int(match["person"]) - 1]][:]  # (3, W, H)
    if image.ndim != 3 or len(image) != 3 or image.dtype != np.uint8:
        raise ValueError(f"no image where {name} should be")
    return np.ascontiguousarray(image.transpose(2, 1, 0))  # (H, W, 3)


@contextlib.contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """Yields a temporary folder that becomes ``folder`` on success, unless that exists by then."""
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise DataError(
            f"{folder}: the images of cuhk-03.mat are extracted into this folder, but it cannot "
            f"be made ({error.strerror}); copy the release to a writable place"
        ) from None
    try:
        yield part
        part.chmod(0o755)
        part.rename(folder)
    except OSError as error:
        if not folder.is_dir():  # else another process was faster
            raise DataError(f"{folder}: cannot be made ({error.strerror or error})") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
