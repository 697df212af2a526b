"""k-reciprocal re-ranking at the size of Market-1501: time and memory beside the dense algorithm.

    python benchmarks/reranking.py [--small] [--json] [--msmt17] [--peers [FOLDER]] [--runs N]

Each algorithm runs in a fresh process on one thread and returns all re-ranked distances. Times are
processor seconds without reading the features; the memory is the process's peak, interpreter and
features included. The dense one is written here from the published description: every matrix in
full. ``--peers`` runs torchreid's function too. ``--msmt17`` ranks 93,820 images instead, once.
Expect five minutes a run, and 10 GiB.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import peers
from common import Row, has_bf16, not_here, options, report, row

MARKET = {"queries": 3368, "gallery": 15913, "ids": 750, "dim": 2048}
SMALL = {"queries": 400, "gallery": 3000, "ids": 100, "dim": 512}
MSMT17 = {"queries": 11659, "gallery": 82161, "ids": 3060, "dim": 2048}
NOISE = 3.0
"""About a person's centre, in the standard deviations of centres."""
OURS = ("sparse", "screened")
PROCESS = Path(__file__).with_name("reranking_process.py")

Figures = dict[str, float]
"""``seconds`` and ``peak_gib``."""


def write_people(size: dict[str, int], folder: Path) -> None:
    """Writes features of queries and a gallery; a tenth of the latter is nobody's."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((size["ids"], size["dim"]), dtype=np.float32)
    for part, nobody in (("query", 0.0), ("gallery", 0.1)):
        count = size["queries" if part == "query" else "gallery"]
        features = NOISE * rng.standard_normal((count, size["dim"]), dtype=np.float32)
        pids = np.where(rng.random(count) < nobody, 0, rng.integers(1, size["ids"] + 1, count))
        for image in np.flatnonzero(pids):
            features[image] += centres[pids[image] - 1]
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        np.save(folder / f"{part}.npy", features)


def run(python: str | Path, name: str, folder: Path) -> Figures:
    """Runs one algorithm in a fresh process with one thread.

    Raises:
        PeerError: it failed.
    """
    done = subprocess.run(
        [str(python), "-W", "ignore", str(PROCESS), name, str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, **peers.ONE_THREAD},
        check=False,
    )
    if done.returncode:
        raise peers.PeerError((done.stderr.strip() or "no message").splitlines()[-1])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def in_turn(pythons: dict[str, str | Path], folder: Path, runs: int) -> dict[str, Figures]:
    """Returns the medians of each algorithm's figures."""
    found: dict[str, list[Figures]] = {name: [] for name in pythons}
    for _ in range(runs):
        for name, python in pythons.items():
            found[name].append(run(python, name, folder))
    return {
        name: {key: statistics.median(each[key] for each in all_runs) for key in all_runs[0]}
        for name, all_runs in found.items()
    }


def market_rows(size: dict[str, int], runs: int, peer: Path | None) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_people(size, folder)
        yield from rows_of(in_turn(dict.fromkeys((*OURS, "dense"), sys.executable), folder, runs),
                           folder)  # fmt: skip
        if peer is not None:
            yield from peer_rows(peer, folder, runs)


def peer_rows(peer: Path, folder: Path, runs: int) -> Iterator[Row]:
    """torchreid beside ours, in turns again."""
    try:
        pythons = {**dict.fromkeys(OURS, sys.executable), "torchreid": peers.torchreid_python(peer)}
        found = in_turn(pythons, folder, runs)
    except peers.PeerError as error:
        yield {"name": f"torchreid: {error}", "goal": None, "measured": None, "met": None}
        return
    yield from rows_of(found, folder)


def rows_of(runs: dict[str, Figures], folder: Path) -> Iterator[Row]:
    """Seconds and memory of each, and the last one over ours."""
    *_, theirs = runs
    for name, figures in runs.items():
        yield row(f"{name}: seconds", figures["seconds"])
        yield row(f"{name}: peak GiB", figures["peak_gib"])
    for ours in OURS:
        times, peaks = (runs[theirs][key] / runs[ours][key] for key in ("seconds", "peak_gib"))
        mine, other = (
            np.load(folder / f"{name}.npy", allow_pickle=False) for name in (ours, theirs)
        )
        name = f"{theirs} over {ours}: time"
        if ours == "screened" and not has_bf16():
            yield not_here(name)
        else:
            yield row(name, times, at_least=4)
        yield row(f"{theirs} over {ours}: peak", peaks, at_least=8)
        yield apart(f"{theirs} and {ours}", np.abs(mine - other))


def apart(names: str, differences: np.ndarray) -> Row:
    """torchreid squares roots of float32 distances, so that neighbours nearly as far as each other
    change places, and with them a few results.
    """
    if names.startswith("torchreid"):
        share = float((differences > 1e-5).mean())
        return row(f"{names}: share of distances more than 1e-5 apart", share)
    return row(f"{names}: largest difference", float(differences.max()), at_most=1e-5)


def msmt17_rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as temporary:
        write_people(MSMT17, Path(temporary))
        figures = run(sys.executable, "evaluation", Path(temporary))
    yield row("MSMT17's size, evaluation: minutes", figures["seconds"] / 60)
    yield row("MSMT17's size, evaluation: peak GiB", figures["peak_gib"], at_most=8)


def main() -> None:
    parser = options(__doc__, runs=1)
    parser.add_argument("--msmt17", action="store_true", help="93,820 images instead")
    peers.add_option(parser)
    given = parser.parse_args()
    size = SMALL if given.small else MARKET
    found = msmt17_rows() if given.msmt17 else market_rows(size, given.runs, given.peers)
    report(found, given)


if __name__ == "__main__":
    main()
