"""What starting the command line costs beside importing torch and torchvision.

    python benchmarks/startup.py [--small] [--json] [--runs N]

Every command runs as a process of its own, the commands take turns, and each is divided by the
import of the same turn. Processor seconds of one thread, of the process and its children, byte code
compiled; a row is the median of the ratios. The picture and the features are made by the script.
Expect two minutes.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import Row, options, report, row
from PIL import Image

_IMPORT = (sys.executable, "-c", "import torch, torchvision")
_APNET = (sys.executable, "-m", "apnet")
_LISTING, _EMBEDDING = 0.1, 1.15


def commands(folder: Path) -> dict[str, tuple[float, tuple[str, ...]]]:
    """Returns what is measured: by name the goal and the command."""
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (128, 64, 3), dtype=np.uint8)).save(folder / "person.jpg")
    for name, count in (("query", 20), ("gallery", 200)):
        np.savez(
            folder / f"{name}.npz",
            features=rng.normal(size=(count, 64)).astype(np.float32),
            pids=np.arange(count) % 20,
            camids=np.full(count, 0 if name == "query" else 1),
        )
    score = ("score", str(folder / "query.npz"), str(folder / "gallery.npz"))
    embed = ("embed", str(folder / "person.jpg"), "--out", str(folder / "person.npz"))
    return {
        "apnet --help": (_LISTING, (*_APNET, "--help")),
        "apnet presets": (_LISTING, (*_APNET, "presets")),
        "apnet data list": (_LISTING, (*_APNET, "data", "list")),
        "apnet score, 20 queries, 200 images": (_LISTING, (*_APNET, *score)),
        "apnet embed, one picture": (_EMBEDDING, (*_APNET, *embed, "--device", "cpu")),
    }


def seconds(command: tuple[str, ...]) -> float:
    """Returns the processor seconds that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | _ONE_THREAD)
    if ran.returncode:
        raise RuntimeError(f"{' '.join(command)}: {ran.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}


def measured(runs: int) -> Iterator[Row]:
    """Yields a row per command, and one with the import's seconds."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = commands(Path(folder))
        ratios: dict[str, list[float]] = {name: [] for name in chosen}
        imports = []
        for number in range(runs + 1):  # the first compiles byte code and fills the disk's cache
            imported = seconds(_IMPORT)
            spent = {name: seconds(command) for name, (_, command) in chosen.items()}
            if number:
                imports.append(imported)
                for name, each in spent.items():
                    ratios[name].append(each / imported)
    yield row("import torch, torchvision, s", statistics.median(imports))
    for name, (goal, _) in chosen.items():
        yield row(name, statistics.median(ratios[name]), at_most=goal)


def main() -> None:
    """Measures and prints."""
    given = options(__doc__, runs=7).parse_args()
    report(measured(1 if given.small else given.runs), given)


if __name__ == "__main__":
    main()
