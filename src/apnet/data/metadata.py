"""Reads ``metadata.jsonl``, which describes the persons and images of a synthetic set.

Every line is a JSON object: a person (with ``look``), an image (with ``image``), or a pair of twins
(with ``twin``). Missing keys are read as None or empty; unknown keys are ignored.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from apnet.errors import DataError

FILE = "metadata.jsonl"

Value = TypeVar("Value")


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
        DataError: the file cannot be read or a line is damaged; the message names the line.
    """
    path = root / FILE
    metadata = Metadata()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):  # a table is its own root
        return metadata
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); make the set again") from None
    for number, line in enumerate(lines, 1):
        _take_line(metadata, line, f"{path}: line {number}")
    return metadata


def _take_line(metadata: Metadata, line: str, place: str) -> None:
    try:
        _take(metadata, json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DataError(
            f"{place} is damaged; make the set again, or remove the file to go on without metadata"
        ) from None


def _take(metadata: Metadata, line: Mapping[str, Any]) -> None:
    if "image" in line:
        metadata.images[str(line["image"])] = _image(line)
    elif "twin" in line:
        pids = (int(line["a"]), int(line["b"]))
        metadata.pairs.append(Twins(pids, str(line["twin"]), _words(line, "differs")))
    else:
        metadata.people[int(line["pid"])] = _person(line)


def _person(line: Mapping[str, Any]) -> PersonNotes:
    cues = line.get("cues", {})
    return PersonNotes(
        split=str(line.get("split", "")),
        group=_optional(int, line.get("look", {}).get("group")),
        differs=_words(line, "differs"),
        cues={scale: _words(cues, scale) for scale in cues},
    )


def _image(line: Mapping[str, Any]) -> ImageNotes:
    scene = (str(line[key]) for key in ("place", "weather", "light") if line.get(key))
    return ImageNotes(
        yaw=_optional(float, line.get("yaw")),
        occlusion=_optional(float, line.get("occlusion")),
        truncation=_optional(float, line.get("truncation")),
        pixels=_optional(int, line.get("pixels")),
        scene=tuple(dict.fromkeys(scene)),
        changes=_words(line, "changes"),
    )


def _words(line: Mapping[str, Any], key: str) -> tuple[str, ...]:
    words = line.get(key, [])
    if not isinstance(words, list):
        raise TypeError(f"{key} is no list")
    return tuple(str(word) for word in words)


def _optional(kind: Callable[[Any], Value], value: Any) -> Value | None:
    return None if value is None else kind(value)
