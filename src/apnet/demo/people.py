"""The demo's people: the user's own set, or a small synthetic one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from apnet.data import load_dataset, load_source
from apnet.data.synthetic import WORLD, make_people
from apnet.progress import Progress
from apnet.types import ReidDataset

IDS = 300
"""Synthetic people: half of them to train on, half to be tested on."""

IMAGES_PER_ID = 14
CAMERAS = 6

EASY = dataclasses.replace(
    WORLD,
    coarse_twins=0.0,
    worn_changes=0.0,
    sitting=0.0,
    indoor=0.0,
    night=0.0,
    rain=0.0,
    haze=0.0,
    shade=0.2,
    optics=0.5,
    cast=0.5,
    resolution=(80.0, 250.0),
    passers_by=0.25,
    occluders=0.08,
    detector=0.2,
    stretch=0.2,
)
"""A town by day, in which minutes of training show something; the named sets are harder."""


def demo_people(
    out: Path,
    source: str | None,
    size: tuple[int, int],
    seed: int,
    workers: int,
    progress: Progress,
) -> ReidDataset:
    """Loads ``NAME=DIR``, or renders synthetic people into ``out`` and loads those.

    Raises:
        DataError: the set cannot be loaded, or the folder cannot be written.
    """
    if source is not None:
        return load_source(source)
    make_people(
        out,
        ids=IDS,
        images_per_id=IMAGES_PER_ID,
        seed=seed,
        cameras=CAMERAS,
        size=size,
        world=EASY,
        workers=workers,
        progress=progress,
    )
    return load_dataset("market1501", out)
