"""Renders all images of one person: the unit of work of a process, and of resuming."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from apnet.data.synthetic.figure import Figure, dressed
from apnet.data.synthetic.photograph import take_picture
from apnet.data.synthetic.population import Person
from apnet.data.synthetic.scene import Camera, draw_camera
from apnet.data.synthetic.wardrobe import draw_look
from apnet.data.synthetic.world import WORLD, World
from apnet.errors import DataError
from apnet.files import write_text

RENDERER = 2
"""Raised whenever the same settings would give other pictures."""

FOLDERS = ("bounding_box_train", "query", "bounding_box_test")

UNFINISHED = ".metadata"
"""Folder of what is gathered until the set is whole."""

CROWD = 12
"""Passers-by who have no pid."""


@dataclass(frozen=True)
class Settings:
    """What determines every byte of a set."""

    ids: int
    images_per_id: int
    seed: int
    cameras: int
    size: tuple[int, int]
    renderer: int
    world: World = WORLD


@lru_cache(maxsize=128)
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


def render_person(out: Path, settings: Settings, person: Person) -> None:
    """Renders all images of one person, and their metadata last.

    Raises:
        DataError: the folder cannot be written.
    """
    figure, crowd = dressed(person.look), town_crowd(settings.seed, settings.world)
    lines: list[dict[str, object]] = [
        {
            "pid": person.pid,
            "split": person.split,
            "differs": person.differs,
            "look": dataclasses.asdict(person.look),
        }
    ]
    asked: set[int] = set()
    for index, number in enumerate(cameras_of(settings, person.pid)):
        camera = town_camera(settings.seed, number, settings.world)
        rng = np.random.default_rng([settings.seed, 3, person.pid, number, index])
        image, facts = take_picture(figure, camera, crowd, settings.size, rng)
        folder = "bounding_box_train" if person.split == "train" else "bounding_box_test"
        if person.split == "test" and number not in asked:
            asked.add(number)
            folder = "query"
        name = f"{folder}/{person.pid:04d}_c{number}s1_{index:06d}_00.jpg"
        _save_jpeg(out / name, image, camera.quality)
        lines.append(
            {"image": name, "pid": person.pid, "camera": number, **dataclasses.asdict(facts)}
        )
    write_text(marker(out, person), "".join(json.dumps(line) + "\n" for line in lines))


def cameras_of(settings: Settings, pid: int) -> list[int]:
    """Returns the camera of each of a person's images: two cameras or more, each at least twice."""
    rng = np.random.default_rng([settings.seed, 4, pid])
    most = min(settings.cameras, settings.images_per_id // 2)
    count = int(rng.integers(max(2, (most + 1) // 2), most + 1))
    passed = rng.choice(np.arange(1, settings.cameras + 1), size=count, replace=False)
    return [int(passed[index % count]) for index in range(settings.images_per_id)]


def marker(out: Path, person: Person) -> Path:
    """Returns the file whose presence says that all of a person's images are there."""
    return out / UNFINISHED / f"{person.pid:04d}.jsonl"


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
