"""Renders all images of one person: the unit of work of a process, and of resuming."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from apnet.errors import DataError
from apnet.files import write_text
from apnet.synthetic.people.figure import Figure, dressed
from apnet.synthetic.people.wardrobe import draw_look
from apnet.synthetic.people.worn import worn_at
from apnet.synthetic.render.notes import Line, image_line, person_line
from apnet.synthetic.render.photograph import Facts, take_picture
from apnet.synthetic.scene.scene import Camera, draw_camera
from apnet.synthetic.world.plan import Counts, Visits
from apnet.synthetic.world.population import Person
from apnet.synthetic.world.settings import World

RENDERER = 2
"""Raised whenever the same settings would give other pictures."""

FOLDERS = ("bounding_box_train", "query", "bounding_box_test")

UNFINISHED = ".metadata"
"""Folder of what is gathered until the set is whole."""

CROWD = 12
"""Passers-by who have no pid."""

BAD_BOXES = 100
"""Bad boxes that are rendered in one go."""


@dataclass(frozen=True)
class Settings:
    """What determines every byte of a set."""

    name: str
    """Of a named set; empty for one of the caller's own."""
    version: int
    counts: Counts
    seed: int
    cameras: int
    size: tuple[int, int]
    world: World
    renderer: int = RENDERER


@lru_cache(maxsize=64)  # a camera's scene takes 2.5 MB
def town_camera(seed: int, camera: int, world: World) -> Camera:
    """Returns a camera, numbered from 1, of the town that a seed names."""
    return draw_camera(np.random.default_rng([seed, 2, camera]), world)


@lru_cache(maxsize=4)
def town_crowd(seed: int, world: World) -> tuple[Figure, ...]:
    """Returns the passers-by of the town that a seed names."""
    return tuple(
        dressed(draw_look(np.random.default_rng([seed, 5, number]), -1, world))
        for number in range(CROWD)
    )


def render_person(out: Path, settings: Settings, person: Person, visits: Visits) -> None:
    """Renders all images of one person, and their metadata last.

    Raises:
        DataError: the folder cannot be written.
    """
    lines = [person_line(person)]
    worn = {number: _worn(settings, person, number) for number in visits.cameras}
    for index, (number, first) in enumerate(visits.shots()):
        figure, changes = worn[number]
        folder = "bounding_box_train" if person.split == "train" else "bounding_box_test"
        if first and person.split == "test":
            folder = "query"
        name = f"{folder}/{person.pid:04d}_c{number}s1_{index:06d}_00.jpg"
        picture, facts = _picture(settings, figure, number, (person.pid, number, index))
        _save_jpeg(out / name, picture, town_camera(settings.seed, number, settings.world).quality)
        lines.append(image_line(name, person.pid, number, facts, changes))
    _publish(marker(out, person.pid), lines)


def render_distractors(out: Path, settings: Settings, indices: range) -> None:
    """Renders some of the bad boxes of pid 0: parts of passers-by, and what is beside them.

    Raises:
        DataError: the folder cannot be written.
    """
    lines = []
    crowd = town_crowd(settings.seed, settings.world)
    for index in indices:
        rng = np.random.default_rng([settings.seed, 7, index])
        number = int(rng.integers(1, settings.cameras + 1))
        figure = crowd[int(rng.integers(len(crowd)))]
        picture, facts = _picture(settings, figure, number, (0, number, index))
        name = f"bounding_box_test/0000_c{number}s1_{index:06d}_00.jpg"
        quality = town_camera(settings.seed, number, settings.world).quality
        _save_jpeg(out / name, missed(picture, rng), quality)
        lines.append(image_line(name, 0, number, facts, ()))
    _publish(distractor_marker(out, indices), lines)


def missed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Cuts a box out of a picture that misses most of the person, and scales it up."""
    width, height = picture.size
    share = float(rng.uniform(0.3, 0.6))
    across, down = round(width * share), round(height * share)
    left = int(rng.integers(0, width - across + 1))
    top = int(rng.integers(0, height - down + 1))
    cut = picture.crop((left, top, left + across, top + down))
    return cut.resize((width, height), Image.Resampling.BICUBIC)


def _worn(settings: Settings, person: Person, number: int) -> tuple[Figure, tuple[str, ...]]:
    camera = town_camera(settings.seed, number, settings.world)
    rng = np.random.default_rng([settings.seed, 15, person.pid, number])
    look, changes = worn_at(person.look, rng, settings.world, person.twins, rain=camera.rain)
    return dressed(look), changes


def _picture(
    settings: Settings, figure: Figure, number: int, place: tuple[int, int, int]
) -> tuple[Image.Image, Facts]:
    camera = town_camera(settings.seed, number, settings.world)
    crowd = town_crowd(settings.seed, settings.world)
    rng = np.random.default_rng([settings.seed, 3, *place])
    return take_picture(figure, camera, crowd, settings.size, rng)


def _publish(path: Path, lines: list[Line]) -> None:
    write_text(path, "".join(json.dumps(line) + "\n" for line in lines))


def marker(out: Path, pid: int) -> Path:
    """Returns the file whose presence says that all images of a pid are there."""
    return out / UNFINISHED / f"{pid:04d}.jsonl"


def distractor_marker(out: Path, indices: range) -> Path:
    """Returns the file whose presence says that these bad boxes are there."""
    return out / UNFINISHED / f"0000-{indices.start:06d}.jsonl"


def distractor_ranges(counts: Counts) -> list[range]:
    """Splits the bad boxes of a set into what is rendered in one go."""
    total = counts.distractors
    return [range(first, min(first + BAD_BOXES, total)) for first in range(0, total, BAD_BOXES)]


def _save_jpeg(path: Path, image: Image.Image, quality: int) -> None:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    part = path.with_suffix(".part")
    try:
        part.write_bytes(buffer.getvalue())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise DataError(
            f"{path}: cannot be written ({error.strerror}); "
            "free some space or choose a writable folder, then run the same command again"
        ) from None
