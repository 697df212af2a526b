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

from apnet.data.contents import contents
from apnet.data.identity_numbers import id_number
from apnet.data.listing import (
    Listing,
    bare_name,
    find_base,
    find_splits,
    named_record,
    read_split_folders,
    wrong_folder,
)
from apnet.errors import DataError
from apnet.files import is_folder, is_there, read_text, shortened
from apnet.types import ImageRecord

TEST_OFFSET = 10_000
"""Added to the pids of query and gallery."""

NAME = re.compile(
    r"(?P<pid>\d+)_\d+_(?P<camid>\d+)_\d{4}(?:morning|noon|afternoon)_\d+_\d+(?:_ex)?",
    re.ASCII,
)
REPACKED = re.compile(r"(?P<pid>\d+)_c(?P<camid>\d+)_\d+", re.ASCII)

_INNER = ("MSMT17_V1", "MSMT17_V2", "MSMT17", "msmt17")
_TRAIN_LIST = "list_train.txt"
_LISTS = ("list_query.txt", "list_gallery.txt")
_HALVES = (("train", "test"), ("mask_train_v2", "mask_test_v2"))
_EXPECTED = (
    "MSMT17's folders train and test (or mask_train_v2, mask_test_v2) beside its list_*.txt, or "
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
    return None if base is None or is_there(base / test) else base


def _moved(records: Sequence[ImageRecord]) -> tuple[ImageRecord, ...]:
    return tuple(replace(record, pid=record.pid + TEST_OFFSET) for record in records)


def _read_release(base: Path, train: Path, test: Path, *, with_val: bool) -> Listing:
    notes: list[str] = []
    query: dict[str, ImageRecord] = {}
    gallery: dict[str, ImageRecord] = {}
    if is_folder(test):
        query, gallery = (read_list(base / name) for name in _LISTS)
        notes += _compare_with_files(test, {**query, **gallery}, {**query, **gallery})
    wanted: dict[str, ImageRecord] = {}
    if is_folder(train) and is_there(base / _TRAIN_LIST):
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
    if is_there(path):
        return read_list(path)
    notes.append("list_val.txt is absent: train is what list_train.txt names")
    return {}


def read_list(path: Path) -> dict[str, ImageRecord]:
    """Reads one of the lists of the release.

    Returns:
        The images in the order of the list, by path relative to the half's folder; pids as written.

    Raises:
        DataError: the file cannot be read, a line has another form, or a number is out of range.
    """
    records: dict[str, ImageRecord] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            record = _listed(line, f"{path}, line {number}")
            records[str(record.path)] = record
    return records


def _listed(line: str, place: str) -> ImageRecord:
    """Reads one line of a list, such as ``0000/0000_000_01_0303morning_0015_0.jpg 0``."""
    name, _, pid = line.strip().replace("\\", "/").replace("\t", " ").rpartition(" ")
    path = Path(name.strip())
    match = NAME.fullmatch(bare_name(path.name))
    if match is None or re.fullmatch(r"\d+", pid, re.ASCII) is None:
        raise _bad_line(line, place)
    record = named_record(path, match, place)
    if record.pid != id_number(pid, "pid", place):
        raise _bad_line(line, place)
    return record


def _bad_line(line: str, place: str) -> DataError:
    return DataError(
        f"{place}: expected 'PPPP/PPPP_III_CC_MMDDtime_FFFF_N.jpg pid', found "
        f"{shortened(repr(line.strip()))}; correct the line"
    )


def _located(folder: Path, records: Mapping[str, ImageRecord]) -> tuple[ImageRecord, ...]:
    return tuple(replace(record, path=folder / record.path) for record in records.values())


def _compare_with_files(folder: Path, wanted: Iterable[str], known: Iterable[str]) -> list[str]:
    """Returns a note on files that no list names; a listed file that is missing is an error."""
    present = {
        f"{person.name}/{image.name}"
        for person in contents(folder).folders
        for image in contents(person).images
    }
    missing = [name for name in wanted if name not in present]
    if missing:
        raise DataError(
            f"{folder}: {len(missing):,} listed images are not there, the first is "
            f"{shortened(ascii(missing[0])[1:-1])}; unpack the archive again"
        )
    unlisted = present.difference(known)
    return [f"{folder.name}: {len(unlisted):,} images on no list left out"] if unlisted else []
