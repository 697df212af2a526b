"""Reads ``metadata.jsonl``, which describes the persons and images of a synthetic set.

Every line is a JSON object: a person (with ``look``), an image (with ``image``), or a pair of twins
(with ``twin``); see ``metadata_lines``. Missing keys are read as None or empty; unknown keys are
ignored, and so are blank lines.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apnet.data.metadata_lines import ImageLine, PersonLine, TwinLine, words
from apnet.errors import DataError
from apnet.files import checked, is_file, parse_json, read_text

FILE = "metadata.jsonl"

_REMEDY = "make the set again, or remove the file to go on without metadata"


@dataclass(frozen=True)
class PersonNotes:
    """Metadata of one person.

    Attributes:
        split: ``train`` or ``test``.
        group: number of the group of twins; None if there is none.
        differs: cues that differ from the first person of the group.
        cues: short words by scale, ``coarse`` to ``fine``.
    """

    split: str
    group: int | None
    differs: tuple[str, ...]
    cues: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class ImageNotes:
    """Metadata of one image.

    Attributes:
        yaw: radians; 0 faces the camera.
        occlusion: share of the person that is hidden, 0 to 1.
        truncation: share of the person's height that is cut off, 0 to 1.
        pixels: height of the person before the image was resized to the size of the set.
        scene: place, weather and light, without repetition.
        changes: changes from the person's usual clothes.
    """

    yaw: float | None
    occlusion: float | None
    truncation: float | None
    pixels: int | None
    scene: tuple[str, ...]
    changes: tuple[str, ...]

    @property
    def view(self) -> str | None:
        """``front``, ``side`` or ``back``: quarters of the circle around the camera."""
        if self.yaw is None:
            return None
        toward = math.cos(self.yaw)
        return (
            "front" if toward > math.sqrt(0.5) else "back" if toward < -math.sqrt(0.5) else "side"
        )


@dataclass(frozen=True)
class Twins:
    """Two persons who look alike; ``kind`` is ``coarse``, ``fine`` or empty."""

    pids: tuple[int, int]
    kind: str
    differs: tuple[str, ...]


@dataclass(frozen=True)
class Metadata:
    """All metadata: persons by pid, images by path relative to the folder, pairs of twins."""

    people: dict[int, PersonNotes] = field(default_factory=dict)
    images: dict[str, ImageNotes] = field(default_factory=dict)
    pairs: list[Twins] = field(default_factory=list)

    def twins_of(self, pid: int) -> dict[int, Twins]:
        """Returns a person's twins by pid, from the pairs or, without pairs, from the group."""
        pairs = self.pairs or self._pairs_of_group(pid)
        found = {sum(pair.pids) - pid: pair for pair in pairs if pid in pair.pids}
        return dict(sorted(found.items()))

    def _pairs_of_group(self, pid: int) -> list[Twins]:
        person = self.people.get(pid)
        if person is None or person.group is None:
            return []
        return [
            Twins((pid, other), "", tuple(dict.fromkeys((*person.differs, *notes.differs))))
            for other, notes in self.people.items()
            if other != pid and (notes.group, notes.split) == (person.group, person.split)
        ]


def read_metadata(root: Path) -> Metadata:
    """Reads the ``metadata.jsonl`` of a folder; returns empty metadata if there is none.

    Raises:
        DataError: the file cannot be read or a line is damaged; the message names line and field.
    """
    path = root / FILE
    metadata = Metadata()
    if not is_file(path):
        return metadata
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            _take(metadata, line, f"{path}: line {number}")
    if metadata == Metadata():
        raise DataError(f"{path}: holds no line; {_REMEDY}")
    return metadata


def _take(metadata: Metadata, text: str, place: str) -> None:
    line = parse_json(text, dict[str, Any], place, _REMEDY)
    if "image" in line:
        image = checked(line, ImageLine, place, _REMEDY)
        metadata.images[image["image"]] = _image(image)
    elif "twin" in line:
        twin = checked(line, TwinLine, place, _REMEDY)
        pids = (twin["a"], twin["b"])
        metadata.pairs.append(Twins(pids, twin["twin"], words(twin.get("differs"))))
    else:
        person = checked(line, PersonLine, place, _REMEDY)
        metadata.people[person["pid"]] = _person(person)


def _person(line: PersonLine) -> PersonNotes:
    return PersonNotes(
        split=line.get("split") or "",
        group=(line.get("look") or {}).get("group"),
        differs=words(line.get("differs")),
        cues={scale: words(cues) for scale, cues in (line.get("cues") or {}).items()},
    )


def _image(line: ImageLine) -> ImageNotes:
    scene = (line.get("place"), line.get("weather"), line.get("light"))
    return ImageNotes(
        yaw=line.get("yaw"),
        occlusion=line.get("occlusion"),
        truncation=line.get("truncation"),
        pixels=line.get("pixels"),
        scene=words(word for word in scene if word),
        changes=words(line.get("changes")),
    )
