"""A small record of a training split, and what has changed since it was taken.

A run keeps the record beside its weights: a network's labels mean the identities that it was
trained on, so training must not go on with other ones.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apnet.errors import DataError
from apnet.files import is_file, shortened
from apnet.types import ImageRecord, ReidDataset

_SHOWN = 3
"""How many identities a sentence names."""

_DIGEST_BYTES = 6


@dataclass(frozen=True)
class _Snapshot:
    images: int
    digest: str
    by_identity: Mapping[str, tuple[int, str]]


def snapshot(dataset: ReidDataset) -> dict[str, Any]:
    """Returns a JSON-ready record of the training split, about 30 bytes per identity.

    An identity is called by its folder where every identity has a folder of its own, otherwise by
    its pid in four digits. No image is opened; only the sizes of the files are read.

    Returns:
        ``images`` and ``identities``: their numbers. ``by_identity``: by identity, in the order of
        the labels, the number of images and a digest of their sorted (path relative to the root,
        camid, file size in bytes). ``digest``: of all of these and of the order of the images.

    Raises:
        DataError: the size of an image file cannot be read.
    """
    base = dataset.root.parent if is_file(dataset.root) else dataset.root
    lines = [_line(record, base) for record in dataset.train]
    by_pid: dict[int, list[int]] = {}
    for index, record in enumerate(dataset.train):
        by_pid.setdefault(record.pid, []).append(index)
    names = _identity_names(dataset.train)
    by_identity = {
        names[pid]: [len(by_pid[pid]), _digest(sorted(lines[index] for index in by_pid[pid]))]
        for pid in sorted(by_pid)
    }
    return {
        "images": len(dataset.train),
        "identities": len(by_identity),
        "digest": _digest([*by_identity, *lines]),
        "by_identity": by_identity,
    }


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns a sentence on each kind of difference between two snapshots; none if they agree.

    Args:
        before: the snapshot that a run kept.
        now: the snapshot of the data as it is.

    Raises:
        DataError: one of them is malformed.
    """
    old, new = _parsed(before), _parsed(now)
    gone = [name for name in old.by_identity if name not in new.by_identity]
    added = [name for name in new.by_identity if name not in old.by_identity]
    changed = [
        f"{name} ({_images(old, new, name)})"
        for name, found in new.by_identity.items()
        if name in old.by_identity and found != old.by_identity[name]
    ]
    sentences = [
        *_sentence(gone, "removed"),
        *_sentence(added, "added"),
        *_sentence(changed, "changed"),
    ]
    if not sentences and old.digest != new.digest:
        sentences.append("the same images are listed or numbered in another order")
    return sentences


def _line(record: ImageRecord, base: Path) -> str:
    try:
        size = record.path.stat().st_size
    except (OSError, ValueError) as error:
        raise DataError(
            f"{record.path}: this training image cannot be read "
            f"({getattr(error, 'strerror', None) or error}); restore it, or load the data set again"
        ) from None
    return f"{Path(os.path.relpath(record.path, base)).as_posix()}\t{record.camid}\t{size}"


def _digest(lines: Sequence[str]) -> str:
    return hashlib.blake2b(os.fsencode("\n".join(lines)), digest_size=_DIGEST_BYTES).hexdigest()


def _identity_names(records: Sequence[ImageRecord]) -> dict[int, str]:
    """Returns the identities' folder names if these tell them apart, otherwise their pids."""
    folders: dict[int, set[Path]] = {}
    for record in records:
        folders.setdefault(record.pid, set()).add(record.path.parent)
    names = {pid: next(iter(found)).name for pid, found in folders.items() if len(found) == 1}
    if len(set(names.values())) == len(folders):
        return names
    return {pid: f"{pid:04d}" for pid in folders}


def _images(old: _Snapshot, new: _Snapshot, name: str) -> str:
    before, now = old.by_identity[name][0], new.by_identity[name][0]
    return f"{now} images, other files" if before == now else f"{now} images, before {before}"


def _sentence(names: Sequence[str], what: str) -> Iterator[str]:
    if not names:
        return
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    subject = "identity" if len(names) == 1 else "identities"
    yield f"{len(names):,} {subject} {what}: {', '.join(names[:_SHOWN])}{more}"


def _parsed(record: Mapping[str, Any]) -> _Snapshot:
    try:
        by_identity = {
            name: _entry(name, entry) for name, entry in dict(record["by_identity"]).items()
        }
        images, digest = record["images"], record["digest"]
        if not isinstance(digest, str) or images != sum(count for count, _ in by_identity.values()):
            raise ValueError("its counts or its digest do not fit")
        return _Snapshot(images, digest, by_identity)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"the record of the training data is malformed ({shortened(ascii(error))}); it "
            "cannot be compared, start a new run"
        ) from None


def _entry(name: object, entry: Any) -> tuple[int, str]:
    count, digest = entry
    if not isinstance(name, str) or type(count) is not int or not isinstance(digest, str):
        raise ValueError(f"the entry of identity {shortened(repr(name))} has another form")
    return count, digest
