"""Checks of a data set on disk: counts, and faults that would spoil training or results."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apnet.arguments import AnyPath
from apnet.data.foregone import foregone_results, match_counts, narrow_splits
from apnet.data.images import MAX_BYTES, read_image
from apnet.data.listing import Listing
from apnet.data.published import (
    SPLITS,
    Counts,
    Split,
    counts_of,
    differences,
    missing_splits,
)
from apnet.data.registry import identified, read_listing
from apnet.display import summarised
from apnet.errors import DataError
from apnet.files import read_bytes
from apnet.progress import Progress, silent
from apnet.types import NO_CAMERA, ImageRecord

Copies = tuple[tuple[Path, ...], ...]
"""Groups of files with identical bytes."""


@summarised
@dataclass(frozen=True, repr=False)
class DatasetCheck:
    """A data set's counts and faults.

    Attributes:
        name: of the data set.
        root: the folder it was read from.
        counts: identities, images and cameras by split.
        published: the published counts; empty for sets without published counts.
        notes: what the loader left out or assumed.
        off_grammar: image files whose names do not follow the naming scheme.
        unreadable: errors of images that cannot be decoded; empty if not decoded.
        leaked_pids: identities in train that are also in query or gallery.
        one_camera_train: training identities seen by one camera only (where cameras are known).
        unanswerable_queries: query identities without a gallery image that could be a hit.
        copies_within: files with identical bytes in one split.
        copies_in_test: files with identical bytes in query and in gallery.
        copies_leaked: files with identical bytes in train and in query or gallery.
        decoded: whether images were decoded and compared.
        foregone: why every network has the same results, if so.
        narrow: splits of one identity, of one camera, or of the same images.
    """

    name: str
    root: Path
    counts: Counts
    published: Counts
    notes: tuple[str, ...]
    off_grammar: tuple[Path, ...]
    unreadable: tuple[str, ...]
    leaked_pids: tuple[int, ...]
    one_camera_train: tuple[int, ...]
    unanswerable_queries: tuple[int, ...]
    copies_within: Copies
    copies_in_test: Copies
    copies_leaked: Copies
    decoded: bool
    foregone: tuple[str, ...] = ()
    narrow: tuple[str, ...] = ()

    def _rows(self) -> dict[str, object]:
        counted: dict[str, object] = {
            split: f"{each.images:,} images, {each.ids:,} identities, {each.cameras:,} cameras"
            for split, each in self.counts.items()
        }
        return {
            "data": f"{self.name} in {self.root}",
            **counted,
            "problems": "; ".join(self.problems()) or "none",
            "remarks": "; ".join(self.remarks()) or "none",
            "decoded": "every image" if self.decoded else "no image",
        }

    def problems(self) -> list[str]:
        """Returns one sentence per fault that makes loading fail or results wrong."""
        tested = any(self.counts[split].images for split in ("query", "gallery"))
        empty: list[Split] = []
        if tested or not self.counts["train"].images:
            empty = [split for split in ("query", "gallery") if not self.counts[split].images]
        return [
            *(f"the {split} split is empty" for split in empty),
            *self.foregone,
            *_sentence(self.off_grammar, "image names do not follow the naming scheme"),
            *_sentence(self.unreadable, "images cannot be decoded"),
            *_sentence(self.leaked_pids, "identities are both in train and in query or gallery"),
            *_sentence(self.copies_leaked, "images are both in train and in query or gallery"),
        ]

    def remarks(self) -> list[str]:
        """Returns one sentence per property that is no fault but affects results."""
        return [
            *differences(self.counts, self.published),
            *self.narrow,
            *_sentence(self.one_camera_train, "training identities are in one camera only"),
            *_sentence(self.unanswerable_queries, "query identities have no match in the gallery"),
            *_sentence(self.copies_within, "images occur more than once in their split"),
            *_sentence(self.copies_in_test, "images are both in query and in gallery"),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON form, with paths as text."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return {**plain, "problems": self.problems(), "remarks": self.remarks()}


def check_dataset(
    name: str, root: AnyPath, *, decode: bool = True, progress: Progress = silent
) -> DatasetCheck:
    """Reads a data set and reports its counts and faults.

    Args:
        name: one of ``DATASETS``.
        root: its folder, as for ``load_dataset``.
        decode: whether to decode every image and compare the files' bytes, which is slow.
        progress: called with (files done, total files).

    Raises:
        ConfigError: the name is unknown.
        DataError: the folder is not what the name says.
        MissingExtraError: its format needs an extra that is not installed.
    """
    listing = read_listing(name, root)
    name, published, origin = identified(name, listing)
    digests, unreadable = _examine(listing, progress) if decode else ({}, [])
    copies = _Copies.among(listing, digests)
    return DatasetCheck(
        name=name,
        root=listing.root,
        counts=counts_of(listing),
        published=published,
        notes=(*origin, *listing.notes, *missing_splits(listing)),
        off_grammar=listing.off_grammar,
        unreadable=tuple(unreadable),
        leaked_pids=_leaked_pids(listing),
        one_camera_train=_one_camera(listing.train),
        unanswerable_queries=_unanswerable(listing),
        copies_within=tuple(copies.within),
        copies_in_test=tuple(copies.in_test),
        copies_leaked=tuple(copies.leaked),
        decoded=decode,
        foregone=tuple(foregone_results(listing)),
        narrow=tuple(narrow_splits(listing)),
    )


def _examine(listing: Listing, progress: Progress) -> tuple[dict[Path, str], list[str]]:
    """Returns the digests of readable files, and the errors of the other files."""
    paths = sorted({record.path for split in SPLITS for record in getattr(listing, split)})
    digests: dict[Path, str] = {}
    unreadable: list[str] = []
    with ThreadPoolExecutor() as threads:
        for done, (path, found) in enumerate(
            zip(paths, threads.map(_digest_or_error, paths), strict=True), start=1
        ):
            if isinstance(found, DataError):
                unreadable.append(str(found))
            else:
                digests[path] = found
            progress(done, len(paths))
    return digests, unreadable


def _digest_or_error(path: Path) -> str | DataError:
    try:
        read_image(path)
        return hashlib.sha256(read_bytes(path, MAX_BYTES)).hexdigest()
    except DataError as error:
        return error


@dataclass
class _Copies:
    within: list[tuple[Path, ...]] = field(default_factory=list)
    in_test: list[tuple[Path, ...]] = field(default_factory=list)
    leaked: list[tuple[Path, ...]] = field(default_factory=list)

    @classmethod
    def among(cls, listing: Listing, digests: Mapping[Path, str]) -> _Copies:
        groups: dict[str, dict[Split, list[Path]]] = {}
        for split in SPLITS:
            for record in getattr(listing, split):
                if record.path in digests:
                    by_split = groups.setdefault(digests[record.path], {})
                    by_split.setdefault(split, []).append(record.path)
        copies = cls()
        for by_split in groups.values():
            copies.add(by_split)
        return copies

    def add(self, by_split: Mapping[Split, list[Path]]) -> None:
        """Adds the files of one digest, given by split."""
        self.within += [tuple(paths) for paths in by_split.values() if len(paths) > 1]
        everywhere = tuple(path for paths in by_split.values() for path in paths)
        if "train" in by_split and len(by_split) > 1:
            self.leaked.append(everywhere)
        elif len(by_split) > 1:
            self.in_test.append(everywhere)


def _leaked_pids(listing: Listing) -> tuple[int, ...]:
    trained = {record.pid for record in listing.train}
    tested = {record.pid for record in (*listing.query, *listing.gallery)}
    return tuple(sorted(trained & tested))


def _one_camera(records: Iterable[ImageRecord]) -> tuple[int, ...]:
    return tuple(
        pid
        for pid, camids in sorted(_cameras_by_pid(records).items())
        if len(camids) == 1 and NO_CAMERA not in camids
    )


def _unanswerable(listing: Listing) -> tuple[int, ...]:
    counts = match_counts(listing.query, listing.gallery)
    without = {each.pid for each, count in zip(listing.query, counts, strict=True) if not count}
    return tuple(sorted(without))


def _cameras_by_pid(records: Iterable[ImageRecord]) -> dict[int, set[int]]:
    cameras: dict[int, set[int]] = {}
    for record in records:
        cameras.setdefault(record.pid, set()).add(record.camid)
    return cameras


def _sentence(items: Sequence[object], text: str) -> Iterator[str]:
    if items:
        first = items[0]
        shown = ", ".join(map(str, first)) if isinstance(first, tuple) else str(first)
        yield f"{len(items):,} {text} (the first: {shown})"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value
