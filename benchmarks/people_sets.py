"""How hard the named sets of synthetic people are: five systems on each.

    python benchmarks/people_sets.py [--work DIR] [--only SET ...] [--images N] [--json]

Of each set a share is made that has about 2,400 training images. Asked are the colour histogram, a
small network with random weights, the same network trained on the set from random weights without
and with the channel pyramid (the demo's recipe, as many images in all for each set), and the model
that comes with the package, which has seen none of them. Finished runs in --work are kept: a
stopped benchmark goes on.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import torch

from apnet.data import load_dataset
from apnet.evaluation import evaluate_checkpoint, evaluate_histogram, evaluate_network
from apnet.files import write_json
from apnet.model import create_network, preset
from apnet.results import Evaluation
from apnet.shipped import default_checkpoint
from apnet.synthetic import PEOPLE_SETS, make_set
from apnet.training import load_recipe, train
from apnet.types import ReidDataset

TRAINING_IMAGES = 2_400
"""Of the share that is made of each set."""

SETS = [name for name in PEOPLE_SETS if name != "people-train"]
CPU = torch.device("cpu")

Figures = dict[str, float]


def part_of(name: str, work: Path) -> ReidDataset:
    """Makes a share of a set, and loads it."""
    share = min(1.0, TRAINING_IMAGES / PEOPLE_SETS[name].counts.train[1])
    make_set(work / name, name, share=round(share, 3))
    return load_dataset("market1501", work / name)


def histogram(dataset: ReidDataset, run: Path, images: int) -> Evaluation:
    """The colour histogram."""
    return evaluate_histogram(dataset, preset("apnet-c0-small").image_size)


def untrained(dataset: ReidDataset, run: Path, images: int) -> Evaluation:
    """A small network with random weights."""
    torch.manual_seed(0)
    network = create_network("apnet-c0-small").eval()
    return evaluate_network(network, preset("apnet-c0-small"), dataset)[0]


def trained(name: str) -> Callable[[ReidDataset, Path, int], Evaluation]:
    """Returns how a preset is trained and asked."""

    def measure(dataset: ReidDataset, run: Path, images: int) -> Evaluation:
        recipe = load_recipe("demo")
        epochs = max(3, round(images / len(dataset.train)))
        decay_every = max(1, round(0.7 * epochs))
        recipe = dataclasses.replace(
            recipe,
            network=preset(name),
            schedule=dataclasses.replace(recipe.schedule, decay_every=decay_every),
            epochs=epochs,
        )
        found = train(recipe, dataset, run, device=CPU, resume=True, evaluate=False)
        return evaluate_checkpoint(found, dataset, device=CPU)

    return measure


def shipped(dataset: ReidDataset, run: Path, images: int) -> Evaluation:
    """The model that comes with the package."""
    return evaluate_checkpoint(default_checkpoint(), dataset, device=CPU)


SYSTEMS = {
    "histogram": histogram,
    "untrained": untrained,
    "no pyramid": trained("apnet-c0-small"),
    "pyramid": trained("apnet-c2-small"),
    "shipped": shipped,
}


def measured(name: str, system: str, work: Path, images: int) -> Figures:
    """Makes, trains and asks; or reads what an earlier call found."""
    stem = f"{name}-{system.replace(' ', '-')}"
    result = work / "results" / f"{stem}.json"
    if result.exists():
        found: Figures = json.loads(result.read_text(encoding="utf-8"))
        return found
    evaluation = SYSTEMS[system](part_of(name, work), work / "runs" / stem, images)
    figures = {"mAP": 100 * evaluation.mAP, "rank-1": 100 * float(evaluation.cmc[0])}
    result.parent.mkdir(parents=True, exist_ok=True)
    write_json(result, figures)
    return figures


def main() -> None:
    """Measures what is missing and prints mAP / rank-1 of every system on every set."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("--work", type=Path, default=Path("people-sets"))
    parser.add_argument("--only", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--images", type=int, default=30_000, help="that training sees in all")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = {}
    for name in given.only:
        rows[name] = {key: measured(name, key, given.work, given.images) for key in SYSTEMS}
        if not given.json:
            cells = (f"{key} {v['mAP']:.1f} / {v['rank-1']:.1f}" for key, v in rows[name].items())
            print(f"{name:16} {'  '.join(cells)}", flush=True)
    if given.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
