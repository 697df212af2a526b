"""The demo's people: the user's own set, or a small synthetic one."""

from __future__ import annotations

from pathlib import Path

from apnet.data import load_dataset, load_source
from apnet.progress import Progress
from apnet.synthetic import EASY, make_people
from apnet.types import ReidDataset

IDS = 240
"""Synthetic people: half of them to train on, half to be tested on."""

IMAGES_PER_ID = 8
CAMERAS = 6

SIZE = (128, 64)
"""Height and width in pixels, those of the shipped network; two cores render them in 40 s."""


def demo_people(
    out: Path,
    source: str | None,
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
        size=SIZE,
        world=EASY,
        workers=workers,
        progress=progress,
    )
    return load_dataset("market1501", out)
