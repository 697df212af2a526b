"""Evaluation at the size of Market-1501: the ranking beside its matrix product, and the memory.

    python benchmarks/evaluation.py [--small] [--json] [--peers [FOLDER]] [--msmt17] [--runs N]
        [--kinds trained,random]

Times are processor seconds of one thread, medians of several runs that take turns; the memory is
the peak of a fresh process that reads feature files and scores them, interpreter included, over the
bytes of the features. Expect eight minutes. ``auto`` is what ``evaluate`` does by itself.

A processor without AVX-512 is imitated, for the libraries that follow these variables, by

    ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 ATEN_CPU_CAPABILITY=avx2 \\
    OPENBLAS_CORETYPE=Haswell OMP_NUM_THREADS=1 python benchmarks/evaluation.py

Three kinds of features: ``spread`` (noise in all directions alike, so that many images lie near a
person's last match), ``trained`` (noise mostly in few directions, cosines of strangers spread by
0.1, as networks make them) and ``random``.

``--peers`` times torchreid's ranking, in Python, on the distances of a tenth of the queries.
``--msmt17`` scores 11,659 x 82,161 features of 2,048 numbers in a fresh process instead: once, in
ten minutes, with 4 GiB.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import peers
import torch
from common import Row, has_bf16, medians, not_here, one_thread, options, report, row

from apnet.results import Evaluation
from apnet.retrieval import default_card, evaluate, save_features
from apnet.retrieval.ranking.int8 import int8_works
from apnet.types import Embeddings

MARKET = {"queries": 3368, "real": 13115, "distractors": 2798, "dim": 2048}
MSMT17 = {"queries": 11659, "real": 82161, "distractors": 0, "dim": 2048}
SMALL = {"queries": 400, "real": 2500, "distractors": 500, "dim": 512}
IDS, CAMERAS, BLOCK = 750, 6, 256
KINDS = {"trained": (1.0, 1.0), "spread": (3.0, 0.0), "random": (1000.0, 0.0)}
"""Noise about a person's centre, and how fast directions lose variance (power of their number):
at 2,048 dimensions mAP 97 %, 90 % and chance; mINP 84 %, 42 % and chance."""

NAMES = {"cpu": "bf16", "int8": "int8"}
SCREENS = {"cpu": has_bf16, "int8": int8_works}
"""By ``device``: what screens, and whether it does here."""

NO_LOSS = 1.02
"""The most that ``auto`` may take over float32 where nothing can be decided: the noise of a run."""

CHILD = """
import sys
from pathlib import Path
from apnet.retrieval import default_card, evaluate, load_features
query, gallery = (load_features(Path(name)) for name in sys.argv[1:])
evaluate(query, gallery, card=default_card(query, gallery), threads=2)
status = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""

PEER_RANKING = """
import json, statistics, sys, time
import numpy as np
from torchreid.reid.metrics.rank import evaluate_rank
file, runs = json.loads(sys.stdin.read())
with np.load(file, allow_pickle=False) as found:
    arrays = [found[f"arr_{i}"] for i in range(5)]
taken = []
for _ in range(runs):
    start = time.process_time()
    evaluate_rank(*arrays, use_cython=False)
    taken.append(time.process_time() - start)
print(json.dumps(statistics.median(taken)))
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
        for asked, order in enumerate(np.argsort(-scores, axis=1, kind="stable"), start):
            right = gallery.pids[order] == query.pids[asked]
            junk = right & (gallery.camids[order] == query.camids[asked])
            ranks = np.flatnonzero(right[~junk]) + 1
            if len(ranks):
                precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    return float(np.mean(precisions))


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


def rows(size: dict[str, int], runs: int, peer: Path | None, kinds: Sequence[str]) -> Iterator[Row]:
    for kind in kinds:
        sets = people(size, kind)
        yield from of_kind(kind, sets, runs)
        if kind == "spread":
            yield from beside_sorting(sets, runs)
            if peer is not None:
                yield beside_peer(peer, sets, runs)


def of_kind(kind: str, sets: tuple[Embeddings, Embeddings], runs: int) -> Iterator[Row]:
    """The whole evaluation over the fastest float32 product: by float32, each screen, auto."""
    devices = ["numpy", *(name for name, works in SCREENS.items() if works()), "auto"]
    works = [partial(product, *sets), partial(product_of_torch, *sets)]
    taken = medians([*works, *(partial(ranked, *sets, device) for device in devices)], runs)
    fastest, seconds = min(taken[:2]), dict(zip(devices, taken[2:], strict=True))
    plain = ranked(*sets, "numpy").average_precision
    name = f"{kind}: float32 evaluation over float32 product"
    yield row(name, seconds["numpy"] / fastest, at_most=1.1)
    for device, screen in NAMES.items():
        name = f"{kind}: {screen}-screened evaluation over float32 product"
        if device not in seconds:
            yield not_here(name) if device == "cpu" else not_here(name, "no product of integers")
            continue
        yield row(name, seconds[device] / fastest, at_most=goal(device, kind))
        apart = np.nan_to_num(np.abs(plain - ranked(*sets, device).average_precision)).max()
        name = f"{kind}: largest AP apart, {screen}-screened from float32"
        yield row(name, float(apart), at_most=0)
    most = goal("auto", kind)
    yield row(f"{kind}: auto over float32 product", seconds["auto"] / fastest, at_most=most)
    most = NO_LOSS if kind == "random" else None
    yield row(f"{kind}: auto over float32", seconds["auto"] / seconds["numpy"], at_most=most)


def goal(device: str, kind: str) -> float | None:
    """The most that a way to screen may take, over the float32 product."""
    if kind == "random":
        return None
    if has_bf16():
        return None if device == "int8" else 0.5
    return 0.8


def beside_sorting(sets: tuple[Embeddings, Embeddings], runs: int) -> Iterator[Row]:
    """Beside a full sort, and the memory."""
    ours, sorting = medians([lambda: ranked(*sets, "numpy"), lambda: sorted_in_full(*sets)], runs)
    apart = abs(ranked(*sets, "numpy").mAP - sorted_in_full(*sets))
    yield row("whole float32 evaluation over numpy with a full sort", ours / sorting, at_most=0.75)
    yield row("mAP apart from numpy with a full sort", apart, at_most=1e-5)
    yield row("peak memory over features", peak_over_features(*sets), at_most=1.5)


def beside_peer(peer: Path, sets: tuple[Embeddings, Embeddings], runs: int) -> Row:
    """The ranking of torchreid, from distances on, beside our whole evaluation."""
    query, gallery = sets
    (ours,) = medians([lambda: ranked(query, gallery, "auto")], runs)
    some = slice(None, None, 10)
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "distances.npz"
        far = 1 - query.features[some] @ gallery.features.T
        np.savez(arrays, far, query.pids[some], gallery.pids, query.camids[some], gallery.camids)
        return peers.peer_row(
            "whole evaluation over torchreid's ranking alone",
            lambda: ours / (10 * peers.ask(peer, PEER_RANKING, [str(arrays), runs])),
            at_most=0.1,
        )


def large_rows() -> Iterator[Row]:
    """MSMT17's size, once: memory beyond the features."""
    query, gallery = people(MSMT17, "trained")
    bytes_of_features = query.features.nbytes + gallery.features.nbytes
    beyond = (peak_over_features(query, gallery) - 1) * bytes_of_features
    yield row("MSMT17's size: peak GiB beyond the features", beyond / 2**30, at_most=1)


def main() -> None:
    parser = options(__doc__, runs=3)
    peers.add_option(parser)
    parser.add_argument("--kinds", default=",".join(KINDS), help="of features")
    parser.add_argument("--msmt17", action="store_true", help="11,659 x 82,161 instead")
    given = parser.parse_args()
    one_thread()
    size = SMALL if given.small else MARKET
    found = (
        large_rows()
        if given.msmt17
        else rows(size, given.runs, given.peers, given.kinds.split(","))
    )
    report(found, given)


if __name__ == "__main__":
    main()
