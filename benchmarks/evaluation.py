"""Evaluation at the size of Market-1501: the ranking beside its matrix product, and the memory.

    python benchmarks/evaluation.py [--small] [--json] [--peers]

Times are processor seconds of one thread, medians of several runs that take turns; the memory is
the peak of a fresh process that reads feature files and scores them, interpreter included, over the
bytes of the features. Expect four minutes. The goals hold at full size; ``--small`` shows that the
benchmark runs. bf16 is screened with torch, and is slow where the processor does not multiply it.

Three kinds of features: ``spread`` (noise in all directions alike, so that many images lie near a
person's last match), ``trained`` (noise mostly in few directions, cosines of strangers spread by
0.1, as networks make them) and ``random``.

``--peers`` installs torchreid 0.2.5 in a virtual environment of its own and times its ranking on
the same distances. To be imported there its package needs only ``torchreid/metrics/rank.py``, which
is loaded by itself; its Cython extension is built by nobody on installing from PyPI, so the Python
version is measured, on a tenth of the queries, times ten.
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
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from apnet.results import Evaluation
from apnet.retrieval import default_card, evaluate, save_features
from apnet.types import Embeddings

MARKET = {"queries": 3368, "real": 13115, "distractors": 2798, "dim": 2048}
PEER = "torchreid==0.2.5"
SMALL = {"queries": 400, "real": 2500, "distractors": 500, "dim": 512}
IDS, CAMERAS, BLOCK = 750, 6, 256
KINDS = {"trained": (1.0, 1.0), "spread": (3.0, 0.0), "random": (1000.0, 0.0)}
"""Noise about a person's centre, and how fast directions lose variance (power of their number):
at 2,048 dimensions mAP 97 %, 90 % and chance; mINP 84 %, 42 % and chance."""

CHILD = """
import sys
from pathlib import Path
from apnet.retrieval import default_card, evaluate, load_features
query, gallery = (load_features(Path(name)) for name in sys.argv[1:])
evaluate(query, gallery, card=default_card(query, gallery), threads=2)
status = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""

PEER_CHILD = """
import importlib.util, sys, sysconfig, time
import numpy as np
from pathlib import Path
place = next(Path(sysconfig.get_path("purelib")).rglob("metrics/rank.py"))
spec = importlib.util.spec_from_file_location("rank", place)
rank = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rank)
with np.load(sys.argv[1]) as file:
    arrays = [file[f"arr_{i}"] for i in range(5)]
start = time.process_time()
rank.evaluate_rank(*arrays, use_cython=False)
print(time.process_time() - start)
"""


def people(size: dict[str, int], kind: str) -> tuple[Embeddings, Embeddings]:
    """Queries and a gallery with Market-1501's counts of images, ids and cameras."""
    noise, power = KINDS[kind]
    rng = np.random.default_rng(0)
    dim = size["dim"]
    centres = rng.standard_normal((IDS, dim), dtype=np.float32)
    turned = np.linalg.qr(rng.standard_normal((dim, dim), dtype=np.float32))[0]
    turned *= (np.arange(2, dim + 2, dtype=np.float32) ** np.float32(-power / 2))[:, None]

    def draw(pids: np.ndarray) -> Embeddings:
        features = noise * rng.standard_normal((len(pids), dim), dtype=np.float32)
        features[pids > 0] += centres[pids[pids > 0] - 1]
        features = features @ turned  # (N, D) @ (D, D)
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


def product_of_torch(query: Embeddings, gallery: Embeddings) -> None:
    """The same by torch, in float32."""
    for start in range(0, len(query), BLOCK):
        part = torch.from_numpy(query.features[start : start + BLOCK])
        torch.mm(part, torch.from_numpy(gallery.features).T)


def ranked(query: Embeddings, gallery: Embeddings, device: str) -> Evaluation:
    """Product and ranking, by the package."""
    return evaluate(query, gallery, card=default_card(query, gallery), threads=1, device=device)


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
    found = []
    for kind in KINDS:
        query, gallery = people(size, kind)
        found += of_kind(kind, (query, gallery), runs)
        if kind == "spread":
            found += beside_sorting((query, gallery), runs)
    return found


def of_kind(
    kind: str, sets: tuple[Embeddings, Embeddings], runs: int
) -> Iterator[dict[str, object]]:
    """The whole evaluation over the fastest float32 product, by float32 and with bf16."""
    works = [
        lambda: product(*sets),
        lambda: product_of_torch(*sets),
        lambda: ranked(*sets, "numpy"),
        lambda: ranked(*sets, "cpu"),
    ]
    numpy_alone, torch_alone, plain, screened = medians(works, runs)
    fastest = min(numpy_alone, torch_alone)
    without, with_it = ranked(*sets, "numpy"), ranked(*sets, "cpu")
    apart = np.nan_to_num(np.abs(without.average_precision - with_it.average_precision)).max()
    yield row(f"{kind}: float32 evaluation over float32 product", 1.1, plain / fastest)
    limit = 1.1 if kind == "random" else 0.5
    yield row(f"{kind}: bf16-screened evaluation over float32 product", limit, screened / fastest)
    yield row(f"{kind}: largest AP apart, bf16-screened from float32", 0, float(apart))


def beside_sorting(sets: tuple[Embeddings, Embeddings], runs: int) -> Iterator[dict[str, object]]:
    """Beside a full sort, and the memory."""
    ours, sorting = medians([lambda: ranked(*sets, "numpy"), lambda: sorted_in_full(*sets)], runs)
    apart = abs(ranked(*sets, "numpy").mAP - sorted_in_full(*sets))
    yield row("whole float32 evaluation over numpy with a full sort", 0.75, ours / sorting)
    yield row("mAP apart from numpy with a full sort", 1e-5, apart)
    yield row("peak memory over features", 1.5, peak_over_features(*sets))


def beside_peer(size: dict[str, int]) -> Iterator[dict[str, object]]:
    """The ranking of torchreid, from distances on, beside our whole evaluation."""
    query, gallery = people(size, "spread")
    start = time.process_time()
    ranked(query, gallery, "auto")
    ours = time.process_time() - start
    some = slice(None, None, 10)
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "distances.npz"
        far = 1 - query.features[some] @ gallery.features.T
        sets = (query.pids[some], gallery.pids, query.camids[some], gallery.camids)
        np.savez(arrays, far, *sets)
        done = in_own_environment(Path(folder), PEER_CHILD, [str(arrays)])
    yield row("whole evaluation over torchreid's ranking alone (Python)", 0.1, ours / (10 * done))


def in_own_environment(folder: Path, code: str, arguments: list[str]) -> float:
    """Runs code with torchreid's own file of ranking; returns the number that it prints."""
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = str(folder / "venv" / "bin" / "python")
    quiet = [python, "-m", "pip", "install", "-q"]
    subprocess.run([*quiet, "numpy"], check=True)
    subprocess.run([*quiet, "--no-deps", PEER], check=True)
    done = subprocess.run(
        [python, "-c", code, *arguments], check=True, capture_output=True, text=True
    )
    return float(done.stdout.splitlines()[-1])


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
        f"{names[0] if names else platform.machine()}, {len(names)} cores, numpy {np.__version__}, "
        f"torch {torch.__version__}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a tenth of the size, in seconds")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs", type=int, default=5, help="runs to take medians of")
    parser.add_argument("--peers", action="store_true", help="install torchreid and time it")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    size = SMALL if arguments.small else MARKET
    found = rows(size, arguments.runs)
    if arguments.peers:
        found += beside_peer(size)
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
