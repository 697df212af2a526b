"""How evaluation and search grow with the gallery and with the number of people.

    python benchmarks/scaling.py [--small] [--json] [--runs N] [--largest 1000000] [--gib 6]

Each row is one size: processor seconds of one thread for ``evaluate`` and for ``top_matches``
(k = 10) of a few queries, and the former over queries x images x dimensions, in microseconds a
million. Where the cost is linear in the gallery that figure is constant; it falls where bf16
begins to be used. A row whose features would not fit into ``--gib`` is computed from the last one
measured, and says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import numpy as np
from common import machine, one_thread, options

from apnet.retrieval import default_card, evaluate, top_matches
from apnet.types import Embeddings

DIM, QUERIES, NOISE, K = 512, 256, 1.0, 10
IMAGES_EACH = 10
SIZES = (1_000, 10_000, 100_000, 1_000_000)
SMALL = SIZES[1]
PEOPLE = (100, 1_000, 10_000, 100_000)
GALLERY_OF_PEOPLE = 100_000
PARTS = 2.0
"""Bytes held over bytes of features: the features, half of them in bf16, blocks."""


def crowd(images: int, people: int) -> tuple[Embeddings, Embeddings]:
    """Queries and a gallery of so many images and people; made in place, in portions."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((people, DIM), dtype=np.float32)

    def draw(pids: np.ndarray) -> Embeddings:
        features = np.empty((len(pids), DIM), np.float32)
        for start in range(0, len(pids), 4096):
            part = features[start : start + 4096]
            rng.standard_normal(dtype=np.float32, out=part)
            part *= NOISE
            part += centres[pids[start : start + 4096]]
            part /= np.linalg.norm(part, axis=1, keepdims=True)
        return Embeddings(features, pids, rng.integers(0, 6, len(pids)))

    return draw(np.arange(QUERIES) % people), draw(rng.permutation(images) % people)


def measured(images: int, people: int, runs: int) -> dict[str, object]:
    """Seconds of an evaluation and of a search, each of the fastest run."""
    query, gallery = crowd(images, people)
    card = default_card(query, gallery)
    seconds = {
        "evaluate_s": fastest(lambda: evaluate(query, gallery, card=card, threads=1), runs),
        "top_s": fastest(lambda: top_matches(query, gallery, K, junk_rule="same-camera"), runs),
    }
    return {"images": images, "people": people, **seconds, "how": "measured"}


def fastest(work: Callable[[], object], runs: int) -> float:
    """Processor seconds of the fastest run."""
    taken = []
    for _ in range(runs):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def computed(last: dict[str, object], images: int) -> dict[str, object]:
    """A row too large for the memory, in proportion to the last one measured."""
    times = images / last["images"]
    return {
        "images": images,
        "people": int(last["people"] * times),
        "evaluate_s": last["evaluate_s"] * times,
        "top_s": last["top_s"] * times,
        "how": f"computed from {last['images']:,}",
    }


def rows(largest: int, memory: float, runs: int) -> Iterator[dict[str, object]]:
    last: dict[str, object] = {}
    for images in (size for size in SIZES if size <= largest):
        fits = PARTS * 4 * DIM * images <= memory
        row = (
            measured(images, max(1, images // IMAGES_EACH), runs)
            if fits
            else computed(last, images)
        )
        last = row if fits else last
        yield row
    for people in PEOPLE:
        if largest >= GALLERY_OF_PEOPLE:
            yield measured(GALLERY_OF_PEOPLE, people, runs)


def main() -> None:
    parser = options(__doc__, runs=2)
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="images of the gallery")
    parser.add_argument("--gib", type=float, default=6.0, help="memory to stay below")
    arguments = parser.parse_args()
    one_thread()
    largest = min(arguments.largest, SMALL) if arguments.small else arguments.largest
    found = []
    if not arguments.json:
        print(f"{machine()}; {QUERIES} queries, {DIM} dimensions\n")
        print(f"{'images':>10} {'people':>8} {'evaluate s':>11} {'top 10 s':>9} {'us/1e6':>8}  how")
    for row in rows(largest, arguments.gib * 2**30, arguments.runs):
        row["us_per_million"] = 1e12 * row["evaluate_s"] / (QUERIES * row["images"] * DIM)
        found.append(row)
        if not arguments.json:
            print(
                f"{row['images']:>10,} {row['people']:>8,} {row['evaluate_s']:>11.4f} "
                f"{row['top_s']:>9.4f} {row['us_per_million']:>8.1f}  {row['how']}",
                flush=True,
            )
    if arguments.json:
        print(json.dumps({"machine": machine(), "rows": found}, indent=2))


if __name__ == "__main__":
    main()
