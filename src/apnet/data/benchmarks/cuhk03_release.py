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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apnet.data.identity_numbers import MOST_ID
from apnet.data.listing import Listing
from apnet.errors import DataError
from apnet.extras import require
from apnet.files import entries, is_file, is_folder, shortened
from apnet.files.matlab5 import Variable, read_variables
from apnet.progress import Progress, silent
from apnet.types import ImageRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = re.compile(r"(?P<pair>[1-5])_(?P<person>\d+)_[12]_(?P<column>0[1-9]|10)\.png", re.ASCII)

_EXTRA = "cuhk03"
_KEYS = ("filelist", "labels", "camId", "train_idx", "query_idx", "gallery_idx")
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
    protocol = next((folder / name for folder in folders if is_file(folder / name)), None)
    if protocol is None:
        return None
    places = [folder / "cuhk-03.mat" for folder in (*folders, root / "cuhk03" / "cuhk03_release")]
    archive = next((place for place in places if is_file(place)), None)
    release = Release(edition, protocol, archive)
    return release if archive is not None or is_folder(release.images) else None


def read_release(release: Release, progress: Progress = silent) -> Listing:
    """Reads the protocol, and extracts the images on first use.

    Raises:
        DataError: a file is damaged, the files do not fit together, or the folder is not writable.
        MissingExtraError: h5py, which extracts the images, is not installed.
    """
    protocol = _read_protocol(release.protocol)
    if not is_folder(release.images) and release.archive is not None:
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
    try:
        variables = read_variables(path)
        content = {key: _value(variables, key) for key in _KEYS}
        names = tuple(map(str, content["filelist"].ravel()))
        pids, camids = (_integers(content[key]) for key in ("labels", "camId"))
        splits = {
            split: _integers(content[f"{split}_idx"]) - 1 for split in ("train", "query", "gallery")
        }
    except Exception as error:  # damaged files fail in many ways
        raise DataError(
            f"{path}: cannot be read as the CUHK03 new protocol ({shortened(ascii(error))}); "
            "download it again"
        ) from None
    fits = len(names) == len(pids) == len(camids) and all(
        _within(values, least, most)
        for values, least, most in (
            *((rows, 0, len(names) - 1) for rows in splits.values()),
            (pids, 0, MOST_ID),
            (camids, 0, MOST_ID),
        )
    )
    if not fits or not all(NAME.fullmatch(name) for name in names):
        raise DataError(f"{path}: its file list, labels and splits do not fit; download it again")
    return _Protocol(names, pids, camids, splits)


def _value(variables: Mapping[str, Variable], key: str) -> NDArray[Any]:
    found = variables[key].value() if key in variables else None
    if found is None:
        raise ValueError(f"it has no array '{key}'")
    return found


def _within(values: NDArray[np.int64], least: int, most: int) -> bool:
    return bool(((values >= least) & (values <= most)).all())


def _integers(array: NDArray[Any]) -> NDArray[np.int64]:
    return array.ravel().astype("int64")


def _verify_extracted(release: Release, names: Sequence[str]) -> None:
    present = {entry.name for entry in entries(release.images)}
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
        except Exception as error:  # damaged HDF5 files fail in h5py in many ways
            raise DataError(
                f"{archive}: its '{release.edition}' images cannot be extracted into "
                f"{release.images} ({shortened(' '.join(str(error).split()))}); check the free "
                "space, or download it again"
            ) from None


def _pixels(opened: Any, pairs: Any, name: str) -> NDArray[np.uint8]:
    from apnet.data.images import MAX_PIXELS

    match = NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"unexpected name {name}")
    table = opened[pairs[int(match["pair"]) - 1]]  # (10, persons)
    stored = opened[table[int(match["column"]) - 1, int(match["person"]) - 1]]  # (3, W, H)
    fits = stored.ndim == 3 and len(stored) == 3 and stored.dtype == "uint8"
    if not fits or stored.size > 3 * MAX_PIXELS:
        raise ValueError(f"no image where {name} should be")
    image: NDArray[np.uint8] = stored[:]
    return image.transpose(2, 1, 0).copy()  # (H, W, 3), contiguous


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
        if not is_folder(folder):  # else another process was faster
            raise DataError(f"{folder}: cannot be made ({error.strerror or error})") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
