"""What a job adds to a store that has rows already, and what it changes there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from apnet.embedding.marks import FileMark, mark_of, was_replaced
from apnet.retrieval.files.store import Row
from apnet.types import JUNK_PID, NO_CAMERA, ImageRecord


@dataclass(frozen=True)
class Updates:
    """The images of a job, by what is to be done with them.

    Attributes:
        new: without a row.
        replaced: with a row of another content.
        labels: rows by index whose identity or camera is another one now.
        seen: size and time of every file when the job began.
    """

    new: Sequence[ImageRecord]
    replaced: Sequence[ImageRecord]
    labels: Mapping[int, Row]
    seen: Mapping[Path, FileMark]

    @property
    def to_embed(self) -> int:
        """Number of images to embed."""
        return len(self.new) + len(self.replaced)

    def marks(self, records: Sequence[ImageRecord]) -> list[FileMark]:
        """Returns the marks of files that were embedded just now.

        Size and time are those of the beginning: a file that changes in between is found next time.
        """
        return [self.seen[record.path].with_digest(record.path) for record in records]

    def stale(self, rows: Sequence[Row], known: Mapping[str, int]) -> dict[int, Row]:
        """Returns the rows of replaced images, marked as stale, by index."""
        indices = [known[str(record.path)] for record in self.replaced]
        return {index: replace(rows[index], stale=True) for index in indices}


def updates_of(
    rows: Sequence[Row],
    known: Mapping[str, int],
    records: Sequence[ImageRecord],
    *,
    rehash: bool,
) -> Updates:
    """Compares the images of a job with a store's rows.

    Args:
        rows: of the store.
        known: the index of the row of each path.
        records: the images.
        rehash: see ``was_replaced``.
    """
    seen = {record.path: mark_of(record.path) for record in records}
    new: list[ImageRecord] = []
    replaced: list[ImageRecord] = []
    labels: dict[int, Row] = {}
    for record in records:
        index = known.get(str(record.path))
        if index is None:
            new.append(record)
            continue
        row = rows[index]
        if row.stale or was_replaced(row, seen[record.path], rehash=rehash):
            replaced.append(record)
        labelled = _labelled(row, record)
        if labelled != row:
            labels[index] = labelled
    return Updates(new, replaced, labels, seen)


def _labelled(row: Row, record: ImageRecord) -> Row:
    """Returns the row with the record's identity and camera, where these are known."""
    pid = row.pid if record.pid == JUNK_PID else record.pid
    camid = row.camid if record.camid == NO_CAMERA else record.camid
    return replace(row, pid=pid, camid=camid)
