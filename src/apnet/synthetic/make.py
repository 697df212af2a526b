"""Makes a set of synthetic people: same settings, same bytes; interrupted calls can continue."""

from __future__ import annotations

import functools
from pathlib import Path

from apnet.arguments import AnyPath, as_path
from apnet.errors import ConfigError
from apnet.files import check_writable, file_lock
from apnet.progress import Progress, silent
from apnet.synthetic.output import (
    Summary,
    begin_or_continue,
    complete,
    create_folders,
    is_complete,
    remove_work_folder,
    summarize,
)
from apnet.synthetic.people.population import Person, draw_population
from apnet.synthetic.render.jobs import (
    distractor_batches,
    distractors_done_file,
    done_file,
    render_distractors,
    render_person,
)
from apnet.synthetic.render.metadata import pair_lines
from apnet.synthetic.workers import Job, run_jobs
from apnet.synthetic.world.catalogue import people_set
from apnet.synthetic.world.plan import Counts, Visits, plan_visits
from apnet.synthetic.world.settings import WORLD, SetSettings, World

_BYTES_PER_PIXEL = 0.4  # of a JPEG file; 0.38 in people-calibration


def make_people(
    out: AnyPath,
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
    """Renders people into a folder in Market-1501 layout, or continues an interrupted folder.

    On one machine, the same settings give the same bytes for any number of processes.

    Args:
        out: new, empty or interrupted folder.
        ids: number of people, 4 to 9999; the first half is for training, the rest for query and
            gallery.
        images_per_id: images per person, 4 to 9999, from two or more cameras.
        seed: seed of all random draws, 0 to 2**31 - 1.
        cameras: number of cameras, 2 to 99.
        size: image height (32 to 1024) and width (16 to 1024) in pixels.
        world: how similar people are and how much cameras differ.
        workers: number of processes; 0 or 1 renders in this process.
        progress: called with (images done, images in total).

    Returns:
        The counts and the hash of the set.

    Raises:
        ConfigError: a number is out of range, or the folder holds something else.
        DataError: the folder cannot be written or lacks images, another process writes to it, or a
            rendering process died.
    """
    _check_ranges(
        ids=(ids, 4, 9999),
        images_per_id=(images_per_id, 4, 9999),
        cameras=(cameras, 2, 99),
        seed=(seed, 0, 2**31 - 1),
        height=(size[0], 32, 1024),
        width=(size[1], 16, 1024),
    )
    half = ids // 2
    counts = Counts((half, half * images_per_id), ((ids - half), (ids - half) * images_per_id))
    settings = SetSettings("", 0, counts, seed, cameras, (size[0], size[1]), world)
    return _make(as_path(out, "out"), settings, workers, progress)


def make_set(
    out: AnyPath,
    name: str,
    *,
    share: float = 1.0,
    workers: int = 2,
    progress: Progress = silent,
) -> Summary:
    """Renders a named set, see ``PEOPLE_SETS``, or continues an interrupted folder.

    Args:
        out: new, empty or interrupted folder.
        name: name of the set.
        share: share of its people, above 0; 1 renders the complete set.
        workers: number of processes; 0 or 1 renders in this process.
        progress: called with (images done, images in total).

    Returns:
        The counts and the hash of the set.

    Raises:
        ConfigError: there is no such set or share, or the folder holds something else.
        DataError: the folder cannot be written or lacks images, another process writes to it, or a
            rendering process died.
    """
    found = people_set(name, share)
    settings = SetSettings(
        name, found.version, found.counts, found.seed, found.cameras, found.size, found.world
    )
    return _make(as_path(out, "out"), settings, workers, progress)


def _make(out: Path, settings: SetSettings, workers: int, progress: Progress) -> Summary:
    visits = plan_visits(settings.counts, settings.cameras, settings.seed)
    begin_or_continue(out, settings)
    people = draw_population(settings.counts, settings.seed, settings.world)
    if not is_complete(out):
        with file_lock(out):
            if not is_complete(out):  # another process may have finished it in the meantime
                create_folders(out)
                jobs = _remaining_jobs(out, settings, people, visits)
                check_writable(out / "metadata.jsonl", _bytes(jobs, settings))
                _render(out, jobs, settings.counts.images, workers, progress)
                complete(out, settings, _done_files(out, settings), pair_lines(people))
    remove_work_folder(out)
    return summarize(out, settings)


def _bytes(jobs: list[Job], settings: SetSettings) -> int:
    """Returns about how many bytes the images of jobs will take."""
    height, width = settings.size
    return int(_BYTES_PER_PIXEL * height * width * sum(job.images for job in jobs))


def _remaining_jobs(
    out: Path, settings: SetSettings, people: list[Person], visits: list[Visits]
) -> list[Job]:
    """Returns the jobs whose images are not all there yet."""
    jobs = [
        Job(functools.partial(render_person, out, settings, person, seen), seen.images)
        for person, seen in zip(people, visits, strict=True)
        if not done_file(out, person.pid).exists()
    ]
    jobs += [
        Job(functools.partial(render_distractors, out, settings, batch), len(batch))
        for batch in distractor_batches(settings.counts)
        if not distractors_done_file(out, batch).exists()
    ]
    return jobs


def _render(out: Path, jobs: list[Job], total: int, workers: int, progress: Progress) -> None:
    """Runs the jobs and reports the images done out of ``total``."""
    done = total - sum(job.images for job in jobs)
    progress(done, total)
    for job in run_jobs(out, jobs, workers):
        done += job.images
        progress(done, total)


def _done_files(out: Path, settings: SetSettings) -> list[Path]:
    """Returns the metadata files of all jobs, in the order of ``metadata.jsonl``."""
    people = [done_file(out, pid) for pid in range(1, settings.counts.ids + 1)]
    distractors = [
        distractors_done_file(out, batch) for batch in distractor_batches(settings.counts)
    ]
    return people + distractors


def _check_ranges(**ranges: tuple[int, int, int]) -> None:
    """Checks each (value, lowest, highest) and names the first value out of range."""
    for name, (value, lowest, highest) in ranges.items():
        if not lowest <= value <= highest:
            raise ConfigError(f"{name}: {value} cannot be used; give {lowest} to {highest}")
