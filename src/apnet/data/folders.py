"""The layout with one folder per person, with or without split folders around them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from apnet.data.contents import contents
from apnet.data.identity_numbers import cameras_in, number_names, renumbered_note
from apnet.data.listing import Listing, find_base, wrong_folder
from apnet.data.person_folders import read_person_folders
from apnet.errors import DataError
from apnet.files import is_folder
from apnet.types import NO_CAMERA, ImageRecord

_SPLITS = ("train", "query", "gallery")
_EXPECTED = (
    "a folder per person with images in it, or the folders train, query and gallery (query and "
    "gallery together, or train alone, will do) with a folder per person in each"
)


def read_folders(root: Path) -> Listing:
    """Reads one folder per person; the folder's name is the identity.

    The person folders may lie in the split folders ``query`` and ``gallery`` (and ``train``), or in
    ``train`` alone. Without split folders the persons are split: half of those with a query and a
    possible match are tested on, all others are trained on; the choice depends only on the folders'
    names.

    Raises:
        DataError: there are no person folders, or too few persons to split.
    """
    base = find_base(root, ("query", "gallery"))
    if base is not None:
        return _read_with_splits(base)
    if not is_folder(root):
        raise wrong_folder(root, _EXPECTED)
    subfolders = {path.name for path in contents(root).folders}
    if subfolders == {"train"}:
        return _read_with_splits(root)
    if not subfolders or subfolders.intersection((*_SPLITS, "test")):
        raise wrong_folder(root, _EXPECTED)
    return _read_without_splits(root)


def _read_with_splits(base: Path) -> Listing:
    parts = {
        split: read_person_folders(base / split) for split in _SPLITS if is_folder(base / split)
    }
    records, notes = _records([pair for part in parts.values() for pair in part.images])
    by_path = {record.path: record for record in records}
    splits = {
        split: tuple(by_path[path] for _, path in part.images) for split, part in parts.items()
    }
    return Listing(
        root=base,
        train=splits.get("train", ()),
        query=splits.get("query", ()),
        gallery=splits.get("gallery", ()),
        notes=(*notes, *(line for part in parts.values() for line in part.notes)),
        off_grammar=tuple(path for part in parts.values() for path in part.loose),
    )


def _records(images: Sequence[tuple[str, Path]]) -> tuple[list[ImageRecord], tuple[str, ...]]:
    persons = {person for person, _ in images}
    pids = number_names(persons)
    cameras = cameras_in(path.name for _, path in images)
    records = [
        ImageRecord(path, pids[person], camid)
        for (person, path), camid in zip(images, cameras.camids, strict=True)
    ]
    return records, (cameras.note, *renumbered_note(persons))


def _read_without_splits(root: Path) -> Listing:
    persons = read_person_folders(root)
    if not persons.images:
        raise wrong_folder(root, _EXPECTED)
    records, notes = _records(persons.images)
    by_pid: dict[int, list[ImageRecord]] = {}
    for record in records:
        by_pid.setdefault(record.pid, []).append(record)
    tested = _pids_to_test(root, by_pid)
    test = [_query_and_gallery(by_pid[pid]) for pid in sorted(tested)]
    return Listing(
        root=root,
        train=tuple(record for record in records if record.pid not in tested),
        query=tuple(record for query, _ in test for record in query),
        gallery=tuple(record for _, gallery in test for record in gallery),
        notes=(
            f"no split folders: {len(tested):,} of {len(by_pid):,} persons set aside for "
            "testing, chosen by the digests of their names",
            *notes,
            *persons.notes,
        ),
        off_grammar=persons.loose,
    )


def _pids_to_test(root: Path, by_pid: Mapping[int, Sequence[ImageRecord]]) -> set[int]:
    searchable = [pid for pid, records in by_pid.items() if _can_be_found(records)]
    if len(searchable) < 2:
        raise DataError(
            f"{root}: {len(searchable)} of {len(by_pid)} persons have two images (from two "
            "cameras, where cameras are known), and 2 are needed: one to train on and one to test "
            "on; add images"
        )

    def digest(pid: int) -> bytes:
        return hashlib.sha256(os.fsencode(by_pid[pid][0].path.parent.name)).digest()

    return set(sorted(searchable, key=digest)[: len(searchable) // 2])


def _can_be_found(records: Sequence[ImageRecord]) -> bool:
    camids = {record.camid for record in records}
    return len(camids) > 1 or (len(records) > 1 and NO_CAMERA in camids)


def _query_and_gallery(
    records: Sequence[ImageRecord],
) -> tuple[list[ImageRecord], list[ImageRecord]]:
    """Takes the first image of each camera as query if the other images hold a match for it."""
    first = {record.camid: record for record in reversed(records)}
    rest = [record for record in records if record is not first[record.camid]]
    query = [
        record
        for camid, record in first.items()
        if any(other.camid != camid or camid == NO_CAMERA for other in rest)
    ]
    query = sorted(query, key=records.index) or [records[0]]
    return query, [record for record in records if record not in query]
