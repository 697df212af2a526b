"""Rendering jobs: all images of one person, or one batch of distractors.

A job writes its metadata file last, which marks it as done.
"""

from __future__ import annotations

import contextlib
import io
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from apnet.errors import DataError
from apnet.files import write_text
from apnet.synthetic.people.changes import look_in_camera
from apnet.synthetic.people.draw_look import draw_look
from apnet.synthetic.people.figure import Figure, build_figure
from apnet.synthetic.people.population import Person
from apnet.synthetic.render.image import ImageMetadata, render_image
from apnet.synthetic.render.metadata import Line, image_line, person_line
from apnet.synthetic.scene.camera import Camera, draw_camera
from apnet.synthetic.world.plan import Counts, Visits
from apnet.synthetic.world.settings import SetSettings, World

FOLDERS = ("bounding_box_train", "query", "bounding_box_test")

WORK_FOLDER = ".metadata"
"""Folder of the metadata files of finished jobs, until the set is complete."""

CROWD = 12
"""Number of passers-by, who have no pid."""

DISTRACTOR_BATCH = 100
"""Number of distractors per job."""


@lru_cache(maxsize=64)  # the scene of a camera takes 2.5 MB
def get_camera(seed: int, camera: int, world: World) -> Camera:
    """Returns camera number ``camera``, from 1, of a set with this seed and world."""
    return draw_camera(np.random.default_rng([seed, 2, camera]), world)


@lru_cache(maxsize=4)
def get_crowd(seed: int, world: World) -> tuple[Figure, ...]:
    """Returns the passers-by of a set with this seed and world."""
    return tuple(
        build_figure(draw_look(np.random.default_rng([seed, 5, number]), -1, world))
        for number in range(CROWD)
    )


def render_person(out: Path, settings: SetSettings, person: Person, visits: Visits) -> None:
    """Renders and saves all images of one person, then their metadata.

    Args:
        out: folder of the set.
        settings: of the set.
        person: the person.
        visits: cameras that see the person, and number of images.

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
        picture, metadata = _picture(settings, figure, number, (person.pid, number, index))
        _save_jpeg(out / name, picture, get_camera(settings.seed, number, settings.world).quality)
        lines.append(image_line(name, person.pid, number, metadata, changes))
    _publish(done_file(out, person.pid), lines)


def render_distractors(out: Path, settings: SetSettings, indices: range) -> None:
    """Renders and saves distractors (pid 0), then their metadata: boxes that miss a passer-by.

    Args:
        out: folder of the set.
        settings: of the set.
        indices: numbers of the distractors.

    Raises:
        DataError: the folder cannot be written.
    """
    lines = []
    crowd = get_crowd(settings.seed, settings.world)
    for index in indices:
        rng = np.random.default_rng([settings.seed, 7, index])
        number = int(rng.integers(1, settings.cameras + 1))
        figure = crowd[int(rng.integers(len(crowd)))]
        picture, metadata = _picture(settings, figure, number, (0, number, index))
        name = f"bounding_box_test/0000_c{number}s1_{index:06d}_00.jpg"
        quality = get_camera(settings.seed, number, settings.world).quality
        _save_jpeg(out / name, crop_distractor(picture, rng), quality)
        lines.append(image_line(name, 0, number, metadata, ()))
    _publish(distractors_done_file(out, indices), lines)


def crop_distractor(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Returns a random part of an image, scaled up, that misses most of the person."""
    width, height = picture.size
    share = float(rng.uniform(0.3, 0.6))
    across, down = round(width * share), round(height * share)
    left = int(rng.integers(0, width - across + 1))
    top = int(rng.integers(0, height - down + 1))
    cut = picture.crop((left, top, left + across, top + down))
    return cut.resize((width, height), Image.Resampling.BICUBIC)


def _worn(settings: SetSettings, person: Person, number: int) -> tuple[Figure, tuple[str, ...]]:
    camera = get_camera(settings.seed, number, settings.world)
    rng = np.random.default_rng([settings.seed, 15, person.pid, number])
    look, changes = look_in_camera(person.look, rng, settings.world, person.twins, rain=camera.rain)
    return build_figure(look), changes


def _picture(
    settings: SetSettings, figure: Figure, number: int, place: tuple[int, int, int]
) -> tuple[Image.Image, ImageMetadata]:
    camera = get_camera(settings.seed, number, settings.world)
    crowd = get_crowd(settings.seed, settings.world)
    rng = np.random.default_rng([settings.seed, 3, *place])
    return render_image(figure, camera, crowd, settings.size, rng)


def _publish(path: Path, lines: list[Line]) -> None:
    write_text(path, "".join(json.dumps(line) + "\n" for line in lines))


def done_file(out: Path, pid: int) -> Path:
    """Returns the metadata file of a person, which exists when all their images are saved."""
    return out / WORK_FOLDER / f"{pid:04d}.jsonl"


def distractors_done_file(out: Path, indices: range) -> Path:
    """Returns the metadata file of a batch of distractors, which exists when it is saved."""
    return out / WORK_FOLDER / f"0000-{indices.start:06d}.jsonl"


def distractor_batches(counts: Counts) -> list[range]:
    """Returns the distractors of a set in batches, one per job."""
    total = counts.distractors
    return [
        range(first, min(first + DISTRACTOR_BATCH, total))
        for first in range(0, total, DISTRACTOR_BATCH)
    ]


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
