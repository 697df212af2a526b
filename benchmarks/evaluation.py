"""Evaluation at the size of Market-1501: the ranking beside its matrix product, and the memory.

    python benchmarks/evaluation.py [--small] [--json]

Times are processor seconds of one thread, medians of several runs that take turns; the memory is
the peak of a fresh process that reads feature files and scores them, interpreter included, over the
bytes of the features. Expect two minutes. The goals hold at full size; ``--small`` shows that the
benchmark runs.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read when numpy is loaded
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from apnet.retrieval import default_card, evaluate, save_features
from apnet.types import Embeddings

MARKET = {"queries": 3368, "real": 13115, "distractors": 2798, "dim": 2048}
SMALL = {"queries": 400, "real": 2500, "distractors": 500, "dim": 512}
IDS, CAMERAS, BLOCK = 750, 6, 256
TRAINED, UNTRAINED = 3.0, 1000.0
"""Noise about a person's centre: at 2,048 dimensions mAP 90 % and mINP 42 %, and chance."""

CHILD = """
import sys
from pathlib import Path
from apnet.retrieval import default_card, evaluate, load_features
query, gallery = (load_features(Path(name)) for name in sys.argv[1:])
evaluate(query, gallery, card=default_card(query, gallery), threads=2)
status = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


def people(size: dict[str, int], noise: float) -> tuple[Embeddings, Embeddings]:
    """Queries and a gallery with Market-1501's counts of images, ids and cameras."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((IDS, size["dim"]), dtype=np.float32)

    def draw(pids: np.ndarray) -> Embeddings:
        features = noise * rng.standard_normal((len(pids), size["dim"]), dtype=np.float32)
        features[pids > 0] += centres[pids[pids > 0] - 1]
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        return Embeddings(features, pids, rng.integers(0, CAMERAS, len(pids)))

    real = np.arange(size["real"]) % IDS + 1
    gallery = rng.permutation(np.concatenate([real, np.zeros(size["distractors"], np.int64)]))
    return draw(np.arange(size["queries"]) % IDS + 1), draw(gallery)


def product(query: Embeddings, gallery: Embeddings) -> None:
    """The matrix product alone, in blocks."""
    out = np.empty((BLOCK, len(gallery)), np.float32)
    for start in range(0, len(query), BLOCK):
        part = query.features[start : start + BLOCK]
        np.matmul(part, gallery.features.T, out=out[: len(part)])


def ranked(query: Embeddings, gallery: Embeddings) -> float:
    """Product and ranking, by the package."""
    return evaluate(query, gallery, card=default_card(query, gallery), threads=1).mAP


def sorted_in_full(query: Embeddings, gallery: Embeddings) -> float:
    """Product, a full stable sort of every row, and the figures, in plain numpy float32."""
    precisions = []
    for start in range(0, len(query), BLOCK):
        scores = query.features[start : start + BLOCK] @ gallery.features.T
        for row, order in enumerate(np.argsort(-scores, axis=1, kind="stable"), start):
            right = gallery.pids[order] == query.pids[row]
            junk = right & (gallery.camids[order] == query.camids[row])
            ranks = np.flatnonzero(right[~junk]) + 1
            if len(ranks):
                precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    return float(np.mean(precisions))


def medians(works: list[Callable[[], object]], runs: int) -> list[float]:
    """Processor seconds of each work; the works take turns."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for work, taken in zip(works, seconds, strict=True):
            start = time.process_time()
            work()
            taken.append(time.process_time() - start)
    return [statistics.median(taken) for taken in seconds]


def peak_over_features(query: Embeddings, gallery: Embeddings) -> float:
    """Peak memory of a process that scores two feature files, over the features' bytes."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "query.npz", Path(folder) / "gallery.npz"]
        for file, embeddings in zip(files, (query, gallery), strict=True):
            save_features(file, embeddings)
        done = subprocess.run(
            [sys.executable, "-c", CHILD, *map(str, files)],
            capture_output=True,
            text=True,
            check=True,
        )
    return int(done.stdout) * 1024 / (query.features.nbytes + gallery.features.nbytes)


def rows(size: dict[str, int], runs: int) -> list[dict[str, object]]:
    query, gallery = people(size, TRAINED)
    alone, ours, sorting = medians(
        [
            lambda: product(query, gallery),
            lambda: ranked(query, gallery),
            lambda: sorted_in_full(query, gallery),
        ],
        runs,
    )
    found = [
        row("ranking over matrix product, features of a trained network", 0.10, ours / alone - 1),
        row("whole evaluation over numpy with a full sort", 0.75, ours / sorting),
        row("mAP apart from numpy with a full sort",
            1e-5, abs(ranked(query, gallery) - sorted_in_full(query, gallery))),
        row("peak memory over features", 1.5, peak_over_features(query, gallery)),
    ]  # fmt: skip
    query, gallery = people(size, UNTRAINED)
    alone, ours = medians([lambda: product(query, gallery), lambda: ranked(query, gallery)], runs)
    found.append(row("ranking over matrix product, random features", 0.10, ours / alone - 1))
    return found


def row(name: str, limit: float, measured: float) -> dict[str, object]:
    return {
        "name": name,
        "goal": f"<= {limit:g}",
        "measured": round(measured, 7),
        "met": bool(measured <= limit),
    }


def machine() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return (
        f"{names[0] if names else platform.machine()}, {len(names)} cores, numpy {np.__version__}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a tenth of the size, in seconds")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs", type=int, default=5, help="runs to take medians of")
    arguments = parser.parse_args()
    size = SMALL if arguments.small else MARKET
    found = rows(size, arguments.runs)
    if arguments.small:
        found = [{**entry, "goal": None, "met": None} for entry in found]
    result = {"machine": machine(), "size": size, "rows": found}
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{result['machine']}; {size}\n")
    for entry in found:
        verdict = {True: "met", False: "MISSED", None: ""}[entry["met"]]
        print(f"{entry['name']:<60} {entry['measured']:>9.5f}  {entry['goal'] or '':<8} {verdict}")


if __name__ == "__main__":
    main()
