"""k-reciprocal re-ranking at the size of Market-1501: time and memory beside the dense algorithm.

    python benchmarks/reranking.py [--small] [--json] [--msmt17] [--peers PYTHON]

Each algorithm runs in a fresh process on one thread and returns all re-ranked distances. Times are
processor seconds without reading the features; the memory is the process's peak, interpreter and
features included. The dense one is written here from the published description: every matrix in
full. ``--peers`` gives a Python that has torchreid, to run its function too. ``--msmt17`` ranks
93,820 images instead. The goals hold at full size; ``--small`` shows that the benchmark runs.
Expect ten minutes, and 10 GiB.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read when numpy is loaded
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import importlib.util
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from apnet.types import Embeddings

KEPT = 64
"""Queries of which the algorithms' distances are compared."""

K1, K2, WEIGHT = 20, 6, 0.3
MARKET = {"queries": 3368, "gallery": 15913, "ids": 750, "dim": 2048}
SMALL = {"queries": 400, "gallery": 3000, "ids": 100, "dim": 512}
MSMT17 = {"queries": 11659, "gallery": 82161, "ids": 3060, "dim": 2048}
NOISE = 3.0
"""About a person's centre, in the standard deviations of centres."""


def people(size: dict[str, int]) -> dict[str, Embeddings]:
    """Queries and a gallery of persons, seen by six cameras, with noise; a tenth is nobody's."""
    from apnet.types import Embeddings

    rng = np.random.default_rng(0)
    centres = rng.standard_normal((size["ids"], size["dim"]), dtype=np.float32)
    found = {}
    for part, nobody in (("query", 0.0), ("gallery", 0.1)):
        count = size["queries" if part == "query" else "gallery"]
        features = NOISE * rng.standard_normal((count, size["dim"]), dtype=np.float32)
        pids = np.where(rng.random(count) < nobody, 0, rng.integers(1, size["ids"] + 1, count))
        for row in np.flatnonzero(pids):
            features[row] += centres[pids[row] - 1]
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        found[part] = Embeddings(features, pids, rng.integers(0, 6, count))
    return found


def sparse(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """The package's, block by block; only the first queries' distances are kept."""
    from apnet.retrieval import Reranking, reranked_distances

    kept = np.empty((min(KEPT, len(query)), len(gallery)))
    blocks = reranked_distances(query, gallery, settings=Reranking(K1, K2, WEIGHT), threads=1)
    for rows, block in blocks:
        wanted = rows < len(kept)
        kept[rows[wanted]] = block[wanted]
    return kept


def screened(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """The package's where torch is loaded, so that it screens in bf16 if the processor can."""
    import torch

    torch.set_num_threads(1)
    return sparse(query, gallery)


def mutual(order: np.ndarray, image: int, k: int) -> np.ndarray:
    """Those of an image's k nearest that have it among their own."""
    near = order[image, : k + 1]
    return near[(order[near, : k + 1] == image).any(axis=1)]


def dense(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """Every matrix in full, image by image, as the published description has it."""
    everything = np.concatenate([query, gallery])
    count, queries = len(everything), len(query)
    original = np.maximum(2 - 2 * (everything @ everything.T), 0)
    original /= original.max(axis=1, keepdims=True)
    order = np.argsort(original, axis=1).astype(np.int32)

    vectors = np.zeros((count, count), np.float32)
    for image in range(count):
        near = mutual(order, image, K1)
        parts = [near]
        for other in near:
            theirs = mutual(order, other, K1 // 2)
            if 3 * len(np.intersect1d(theirs, near)) > 2 * len(theirs):
                parts.append(theirs)
        members = np.unique(np.concatenate(parts))
        weights = np.exp(-original[image, members])
        vectors[image, members] = weights / weights.sum()
    averaged = np.zeros_like(vectors)
    for image in range(count):
        averaged[image] = vectors[order[image, :K2]].mean(axis=0)
    del vectors, order
    holders = [np.flatnonzero(averaged[:, image]) for image in range(count)]
    final = np.empty((queries, count), np.float32)
    for row in range(queries):
        shared = np.zeros(count, np.float32)
        for member in np.flatnonzero(averaged[row]):
            images = holders[member]
            shared[images] += np.minimum(averaged[row, member], averaged[images, member])
        final[row] = (1 - WEIGHT) * (1 - shared / (2 - shared)) + WEIGHT * original[row]
    return final[:, queries:]


def torchreid(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """torchreid's function, loaded by itself; it squares what it is given."""
    package = importlib.util.find_spec("torchreid")
    folder = Path(next(iter(package.submodule_search_locations)))
    file = next(folder.rglob("rerank.py"))
    spec = importlib.util.spec_from_file_location("rerank", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.sqrt(np.maximum(2 - 2 * (one @ other.T), 0))

    return module.re_ranking(
        between(query, gallery), between(query, query), between(gallery, gallery), K1, K2, WEIGHT
    )


ALGORITHMS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "sparse": sparse,
    "screened": screened,
    "dense": dense,
    "torchreid": torchreid,
}


def peak_gib() -> float:
    status = Path("/proc/self/status").read_text().splitlines()
    kib = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    return int(kib) / (1 << 20)


def child(name: str, folder: Path) -> None:
    """Runs one algorithm in this process and leaves its figures and distances in the folder."""
    query, gallery = (np.load(folder / f"{part}.npy") for part in ("query", "gallery"))
    start = time.process_time()
    found = ALGORITHMS[name](query, gallery)
    seconds = time.process_time() - start
    peak = peak_gib()
    np.save(folder / f"{name}.npy", found[:KEPT])
    print(json.dumps({"seconds": seconds, "peak_gib": peak}))


def evaluating() -> None:
    """Draws a set of MSMT17's size and evaluates it in this process."""
    from apnet.retrieval import Reranking, default_card, evaluate_reranked

    sets = people(MSMT17)
    start = time.process_time()
    found = evaluate_reranked(
        **sets,
        card=default_card(**sets),
        settings=Reranking(K1, K2, WEIGHT),
        progress=lambda done, total: print(f"\r{done}/{total}", end="", file=sys.stderr),
    )
    seconds = time.process_time() - start
    print(json.dumps({"seconds": seconds, "peak_gib": peak_gib(), "mAP": found.mAP}))


def run(python: str, name: str, folder: Path) -> dict[str, float]:
    command = [python, __file__, "--child", name, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout))


def market_rows(size: dict[str, int], peers: str | None) -> list[dict[str, object]]:
    names = {"sparse": sys.executable, "screened": sys.executable, "dense": sys.executable}
    if peers is not None:
        names["torchreid"] = peers
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for part, embeddings in people(size).items():
            np.save(folder / f"{part}.npy", embeddings.features)
        runs = {name: run(python, name, folder) for name, python in names.items()}
        found = {name: np.load(folder / f"{name}.npy") for name in names}
    rows = []
    for name, figures in runs.items():
        rows.append(row(f"{name}: seconds", None, figures["seconds"]))
        rows.append(row(f"{name}: peak GiB", None, figures["peak_gib"]))
    for ours in ("sparse", "screened"):
        for theirs in list(runs)[2:]:
            times, peaks = (
                runs[theirs][figure] / runs[ours][figure] for figure in ("seconds", "peak_gib")
            )
            apart = float(np.abs(found[ours] - found[theirs]).max())
            rows.append(row(f"{theirs} over {ours}: time", 4, times))
            rows.append(row(f"{theirs} over {ours}: peak", 8, peaks))
            rows.append(row(f"{theirs} and {ours}: largest difference", -1e-5, -apart))
    return rows


def msmt17_rows() -> list[dict[str, object]]:
    figures = run(sys.executable, "msmt17", Path())
    return [
        row("MSMT17's size, seconds", None, figures["seconds"]),
        row("MSMT17's size, peak GiB", -8, -figures["peak_gib"]),
        row("MSMT17's size, mAP", None, figures["mAP"]),
    ]


def row(name: str, least: float | None, measured: float) -> dict[str, object]:
    """A row of the result; a limit from above is given, and measured, with a minus sign."""
    goal = None if least is None else f">= {least:g}" if least > 0 else f"<= {-least:g}"
    return {
        "name": name,
        "goal": goal,
        "measured": round(abs(measured), 7),
        "met": None if least is None else bool(measured >= least),
    }


def machine() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{names[0] if names else platform.machine()}, {len(names)} cores"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a tenth of the size, in seconds")
    parser.add_argument("--msmt17", action="store_true", help="93,820 images instead")
    parser.add_argument("--peers", metavar="PYTHON", help="interpreter that has torchreid")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--child", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child and arguments.child[0] == "msmt17":
        return evaluating()
    if arguments.child:
        return child(arguments.child[0], Path(arguments.child[1]))
    size = MSMT17 if arguments.msmt17 else SMALL if arguments.small else MARKET
    found = msmt17_rows() if arguments.msmt17 else market_rows(size, arguments.peers)
    if arguments.small:
        found = [{**entry, "goal": None, "met": None} for entry in found]
    if arguments.json:
        print(json.dumps({"machine": machine(), "size": size, "rows": found}, indent=2))
        return None
    print(f"{machine()}; {size}\n")
    for entry in found:
        verdict = {True: "met", False: "MISSED", None: ""}[entry["met"]]
        print(f"{entry['name']:<40} {entry['measured']:>12.4g}  {entry['goal'] or '':<8} {verdict}")
    return None


if __name__ == "__main__":
    main()
