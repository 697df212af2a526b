"""What the renderer adds, and which of it buys transfer: one network for each world without it.

    python benchmarks/transfer.py --target DIR [--work DIR] [--only NAME ...] [--seeds N] [--json]
    python benchmarks/transfer.py --target DIR --shipped

Each variant renders as many images (4,800 of 400 people, 24 cameras, 128x64), trains the recipe
``people`` on all of them for as many steps, and is asked on two sets that it has never seen: the
folder DIR (Market-1501 layout; all its images, every one a query), and a share of ``people-b``.
Finished variants in --work are kept: a stopped benchmark goes on. Expect four minutes a variant on
two processor cores. ``--shipped`` asks the model that comes with the package instead.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

from apnet.config import Recipe
from apnet.data import load_dataset
from apnet.embedding import embed_records
from apnet.evaluation import evaluate_network
from apnet.files import write_json
from apnet.model import APNet
from apnet.retrieval import default_card, evaluate
from apnet.shipped import default_checkpoint
from apnet.synthetic import WORLD, World, make_people, make_set
from apnet.training import load_recipe, train
from apnet.types import ReidDataset

IDS, IMAGES, CAMERAS, SIZE, SEED = 400, 12, 24, (128, 64), 7
EPOCHS = 5
TOWN, SHARE = "people-b", 0.2

NO_CLOTH = {"patterns": 0.0, "blocks": 0.0, "logos": 0.0, "texture": 0.0}
NO_EXTRAS = {
    "bags": 0.0, "headwear": 0.0, "props": 0.0, "umbrellas": 0.0, "sitting": 0.0, "faces": 0.0,
    "worn_changes": 0.0,
}  # fmt: skip
NO_SCENE = {"clutter": 0.0, "passers_by": 0.0, "occluders": 0.0}
NO_LIGHT = {"shade": 0.0, "shadows": 0.0, "night": 0.0, "overcast": 0.0, "rain": 0.0, "haze": 0.0,
            "indoor": 0.0}  # fmt: skip
NO_CAMERA = {"optics": 0.0, "cast": 0.0, "flicker": 0.0}
NO_DETECTOR = {"detector": 0.0, "stretch": 0.0}
NO_TWINS = {"group_sizes": (1.0,)}


@dataclasses.dataclass(frozen=True)
class Variant:
    """A world, how many people live in it, and whether training distorts its images."""

    changes: Mapping[str, object]
    ids: int = IDS
    distorted: bool = True


VARIANTS = {
    "everything": Variant({}),
    "plain clothes": Variant(NO_CLOTH),
    "short palette": Variant({"palette": 0.0}),
    "no accessories": Variant(NO_EXTRAS),
    "plain backgrounds": Variant(NO_SCENE),
    "one light": Variant(NO_LIGHT),
    "ideal cameras": Variant(NO_CAMERA),
    "careful boxes": Variant(NO_DETECTOR),
    "no twins": Variant(NO_TWINS),
    "a quarter of the people": Variant({}, ids=IDS // 4),
    "no distortion in training": Variant({}, distorted=False),
}


def rendered(name: str, variant: Variant, work: Path) -> ReidDataset:
    """Renders a variant's people, all of them to train on."""
    world: World = dataclasses.replace(WORLD, **variant.changes)  # type: ignore[arg-type]
    root = work / "people" / name.replace(" ", "-")
    images = IDS * IMAGES // variant.ids
    make_people(
        root,
        ids=variant.ids,
        images_per_id=images,
        seed=SEED,
        cameras=CAMERAS,
        size=SIZE,
        world=world,
    )
    found = load_dataset("market1501", root)
    return dataclasses.replace(found, train=(*found.train, *found.query, *found.gallery))


def shortened(recipe: Recipe, variant: Variant, seed: int) -> Recipe:
    """Returns the recipe with this benchmark's epochs, and plain augmentation where asked."""
    augmentation = recipe.augmentation
    if not variant.distorted:
        augmentation = dataclasses.replace(augmentation, recolour=0.0, reframe=0.0, coarsen=0.0)
    return dataclasses.replace(recipe, epochs=EPOCHS, augmentation=augmentation, seed=seed)


def all_against_all(
    network: APNet, dataset: ReidDataset, size: tuple[int, int]
) -> tuple[float, float]:
    """Asks for every image of a set among all of them; returns rank-1 and mAP in percent."""
    records = (*dataset.train, *dataset.query, *dataset.gallery)
    features = embed_records(network, records, size)
    found = evaluate(features, features, card=default_card(features, features))
    return 100 * found.cmc[0], 100 * found.mAP


def measured(network: APNet, recipe: Recipe, target: Path, work: Path) -> dict[str, float]:
    """Returns rank-1 and mAP on the target and on the other town."""
    size = recipe.network.image_size
    rank1, mean_ap = all_against_all(network, load_dataset("market1501", target), size)
    make_set(work / TOWN, TOWN, share=SHARE)
    town, _, _ = evaluate_network(network, recipe.network, load_dataset("market1501", work / TOWN))
    return {
        "target rank-1": rank1,
        "target mAP": mean_ap,
        f"{TOWN} rank-1": 100 * town.cmc[0],
        f"{TOWN} mAP": 100 * town.mAP,
    }


def one_run(name: str, seed: int, target: Path, work: Path) -> dict[str, float]:
    """Renders, trains and asks; or reads what an earlier call found."""
    result = work / "results" / f"{name.replace(' ', '-')}-{seed}.json"
    if result.exists():
        found: dict[str, float] = json.loads(result.read_text(encoding="utf-8"))
        return found
    variant = VARIANTS[name]
    recipe = shortened(load_recipe("people"), variant, seed)
    people, folder = rendered(name, variant, work), work / "runs" / result.stem
    trained = train(recipe, people, folder, device="cpu", resume=True, evaluate=False)
    values = measured(trained.network, recipe, target, work)
    result.parent.mkdir(parents=True, exist_ok=True)
    write_json(result, values)
    return values


def main() -> None:
    """Runs what is missing and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("--target", type=Path, required=True, help="folder in Market-1501 layout")
    parser.add_argument("--work", type=Path, default=Path("transfer"))
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--shipped", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows: dict[str, dict[str, float]] = {}
    if given.shipped:
        shipped = default_checkpoint()
        network, size = shipped.network, shipped.config.image_size
        rank1, mean_ap = all_against_all(network, load_dataset("market1501", given.target), size)
        print(f"target rank-1 {rank1:.1f}  target mAP {mean_ap:.1f}")
        return
    for name in given.only:
        started = time.perf_counter()
        runs = [one_run(name, seed, given.target, given.work) for seed in range(given.seeds)]
        rows[name] = {key: statistics.mean(run[key] for run in runs) for key in runs[0]}
        if not given.json:
            figures = "  ".join(f"{key} {value:5.1f}" for key, value in rows[name].items())
            print(f"{name:28} {figures}  ({time.perf_counter() - started:.0f} s)", flush=True)
    if given.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
