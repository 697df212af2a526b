"""MSMT17 (Wei et al., CVPR 2018): 4,101 persons, 15 cameras; available from its owners only.

Three layouts are read. The release (``train``, ``test`` and four ``list_*.txt``) and its second
version with blurred faces (``mask_train_v2``, ``mask_test_v2``, the same lists) give identities
in lists; names are ``PPPP/PPPP_III_CC_MMDDtime_FFFF_N[_ex].jpg`` with camera CC. The re-packed form
has Market-1501's folders and ``PPPP_cC_0III.jpg``, the camera without leading zero.

Pids start at 0 in both halves of the release, so ``TEST_OFFSET`` is added to those of the test
half: its person 0123 becomes 10123, and the identities of the two halves stay distinct.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from apnet.data.listing import (
    IMAGE_SUFFIXES,
    Listing,
    bare_name,
    find_base,
    find_splits,
    read_split_folders,
    scan,
    wrong_folder,
)
from apnet.errors import DataError
from apnet.types import ImageRecord

TEST_OFFSET = 10_000
"""Added to the pids of query and gallery."""

NAME = re.compile(
    r"(?P<pid>\d+)_\d+_(?P<camid>\d+)_\d{4}(?:morning|noon|afternoon)_\d+_\d+(?:_ex)?"
)
REPACKED = re.compile(r"(?P<pid>\d+)_c(?P<camid>\d+)_\d+")

_INNER = ("MSMT17_V1", "MSMT17_V2", "MSMT17", "msmt17")
_TRAIN_LIST = "list_train.txt"
_LISTS = ("list_query.txt", "list_gallery.txt")
_HALVES = (("train", "test"), ("mask_train_v2", "mask_test_v2"))
_EXPECTED = (
    "MSMT17's folders train and test (or mask_train_v2 and mask_test_v2) beside list_train.txt, "
    "list_val.txt, list_query.txt and list_gallery.txt, or the re-packed folders "
    "bounding_box_train, query and bounding_box_test"
)


def read_msmt17(root: Path) -> Listing:
    """Reads MSMT17 with the validation images merged into train (32,621), as in the paper.

    Raises:
        DataError: the layout is none of the three, or a list and the files disagree.
    """
    return _read(root, with_val=True)


def read_msmt17_noval(root: Path) -> Listing:
    """Reads MSMT17 without the validation images (30,248 to train on).

    Raises:
        DataError: the layout is re-packed, which does not mark validation images, or as for
            ``read_msmt17``.
    """
    return _read(root, with_val=False)


def _read(root: Path, *, with_val: bool) -> Listing:
    for train, test in _HALVES:
        base = _find_release(root, train, test)
        if base is not None:
            return _read_release(base, base / train, base / test, with_val=with_val)
    base = find_splits(root, inner=_INNER)
    if base is None:
        raise wrong_folder(root, _EXPECTED)
    if not with_val:
        raise DataError(
            f"{base}: the re-packed MSMT17 does not tell validation images from training images; "
            "take the name 'msmt17', or the release with its lists"
        )
    listing = read_split_folders(base, REPACKED)
    return replace(listing, query=_moved(listing.query), gallery=_moved(listing.gallery))


def _find_release(root: Path, train: str, test: str) -> Path | None:
    """Finds the folder of a test half with its lists, or of a training half alone."""
    base = find_base(root, (test, *_LISTS), _INNER)
    if base is not None:
        return base
    base = find_base(root, (train, _TRAIN_LIST), _INNER)
    return None if base is None or (base / test).exists() else base


def _moved(records: Sequence[ImageRecord]) -> tuple[ImageRecord, ...]:
    return tuple(replace(record, pid=record.pid + TEST_OFFSET) for record in records)


def _read_release(base: Path, train: Path, test: Path, *, with_val: bool) -> Listing:
    notes: list[str] = []
    query: dict[str, ImageRecord] = {}
    gallery: dict[str, ImageRecord] = {}
    if test.is_dir():
        query, gallery = (read_list(base / name) for name in _LISTS)
        notes += _compare_with_files(test, {**query, **gallery}, {**query, **gallery})
    wanted: dict[str, ImageRecord] = {}
    if train.is_dir() and (base / _TRAIN_LIST).exists():
        first = read_list(base / _TRAIN_LIST)
        second = _read_val_list(base, notes)
        known = {**first, **second}
        wanted = {name: known[name] for name in known if with_val or name not in second}
        notes += _compare_with_files(train, wanted, known)
    return Listing(
        root=base,
        train=_located(train, wanted),
        query=_moved(_located(test, query)),
        gallery=_moved(_located(test, gallery)),
        notes=tuple(notes),
    )


def _read_val_list(base: Path, notes: list[str]) -> dict[str, ImageRecord]:
    path = base / "list_val.txt"
    if path.exists():
        return read_list(path)
    notes.append("list_val.txt is absent: train is what list_train.txt names")
    return {}


def read_list(path: Path) -> dict[str, ImageRecord]:
    """Reads one of the lists of the release.

    Returns:
        The images in the order of the list, by path relative to the half's folder; pids as written.

    Raises:
        DataError: the file cannot be read or a line has another form.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a list of images ({error})") from None
    records: dict[str, ImageRecord] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, _, pid = line.strip().rpartition(" ")
        match = NAME.fullmatch(bare_name(name))
        if match is None or not pid.isdecimal() or int(pid) != int(match["pid"]):
            raise DataError(
                f"{path}, line {number}: expected 'PPPP/PPPP_III_CC_MMDDtime_FFFF_N.jpg pid', "
                f"found {line.strip()!r}"
            )
        records[name] = ImageRecord(Path(name), int(pid), int(match["camid"]))
    return records


def _located(folder: Path, records: Mapping[str, ImageRecord]) -> tuple[ImageRecord, ...]:
    return tuple(replace(record, path=folder / record.path) for record in records.values())


def _compare_with_files(folder: Path, wanted: Iterable[str], known: Iterable[str]) -> list[str]:
    """Returns a note on files that no list names; a listed file that is missing is an error."""
    present = {
        f"{person.name}/{entry.name}"
        for person in scan(folder)
        if person.is_dir()
        for entry in scan(Path(person.path))
        if Path(entry.name).suffix.lower() in IMAGE_SUFFIXES and not entry.name.startswith(".")
    }
    missing = [name for name in wanted if name not in present]
    if missing:
        raise DataError(
            f"{folder}: {len(missing):,} listed images are not there, the first is {missing[0]}; "
            "unpack the archive again"
        )
    unlisted = present.difference(known)
    return [f"{folder.name}: {len(unlisted):,} images on no list left out"] if unlisted else []
