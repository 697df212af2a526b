"""Tracklets as tables: crops that trackers followed, and the identities that they were given."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from apnet.data.table_text import TableForm, read_table_text
from apnet.errors import GalleryError, located
from apnet.files import atomic_write, is_file, shortened
from apnet.gallery.values import as_time, checked_camera, checked_name

TABLE = TableForm(
    ("path", "camera", "tracklet"),
    ("time", "identity"),
    "a CSV file with the columns path, camera, tracklet and, where known, time and identity (the "
    "truth, to be scored against)",
)
"""Crops of tracklets, one per row."""

Decision = Literal["known", "new", "unsure"]


@dataclass(frozen=True)
class Crop:
    """One crop of a tracklet: file, time, and the true identity where it is known."""

    path: Path
    time: float | None
    truth: str = ""


@dataclass(frozen=True)
class Tracklet:
    """Crops of one person by one camera."""

    camera: str
    name: str
    crops: tuple[Crop, ...]

    @property
    def start(self) -> float:
        """Its earliest time; infinite where no time is known."""
        return min((each.time for each in self.crops if each.time is not None), default=math.inf)

    @property
    def end(self) -> float:
        """Its latest time; minus infinite where no time is known."""
        return max((each.time for each in self.crops if each.time is not None), default=-math.inf)

    def overlaps(self, other: Tracklet) -> bool:
        """Whether both are of one camera and were seen at the same time: two persons then."""
        return self.camera == other.camera and max(self.start, other.start) <= min(
            self.end, other.end
        )


@dataclass(frozen=True)
class Assignment:
    """What was decided for one tracklet.

    Attributes:
        tracklet: which.
        decision: ``known``, ``new`` or ``unsure``.
        identity: the global identity; for an unsure tracklet the closest, or empty.
        similarity: cosine with the closest identity; ``None`` in an empty gallery.
    """

    tracklet: Tracklet
    decision: Decision
    identity: str
    similarity: float | None


def read_tracklets(table: Path) -> list[Tracklet]:
    """Reads a table of crops; tracklets come in the order of their time, then of the table.

    Raises:
        DataError: it is no such table.
        GalleryError: a value cannot be used; the line is named.
    """
    crops: dict[tuple[str, str], list[Crop]] = {}
    for line, cells in read_table_text(table, TABLE).rows:
        with located(f"{table}, line {line}", GalleryError):
            for column in TABLE.required:
                if not cells[column]:
                    raise GalleryError(f"the cell '{column}' is empty; fill it")
            path = table.parent / cells["path"]
            if not is_file(path):
                raise GalleryError(f"{shortened(str(path), 160)} does not exist; correct the path")
            key = checked_camera(cells["camera"]), checked_name(cells["tracklet"], "tracklet")
            truth = checked_name(cells["identity"]) if cells.get("identity") else ""
            crops.setdefault(key, []).append(Crop(path, as_time(cells.get("time")), truth))
    tracklets = [Tracklet(camera, name, tuple(each)) for (camera, name), each in crops.items()]
    return sorted(tracklets, key=lambda each: each.start)


def write_assignments(assignments: Sequence[Assignment], out: Path) -> None:
    """Writes a row per crop: path, camera, tracklet, identity, decision, similarity.

    Raises:
        DataError: it cannot be written.
    """
    with atomic_write(out) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "camera", "tracklet", "identity", "decision", "similarity"])
        for each in assignments:
            similarity = "" if each.similarity is None else f"{each.similarity:.4f}"
            for crop in each.tracklet.crops:
                place = (crop.path, each.tracklet.camera, each.tracklet.name)
                writer.writerow([*place, each.identity, each.decision, similarity])
