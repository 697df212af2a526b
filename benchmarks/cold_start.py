"""Cold start: a fresh process to its first embedding, with an exported ONNX file and without torch.

    python benchmarks/cold_start.py [--small] [--json] [--runs N]

The shipped network is exported once. Every reading is a process of its own in which torch cannot be
imported; wall seconds from before it starts to after it ends, so that the machine must be idle. Two
ways take turns with the import of torch alone: `OnnxReader`, and the lines of docs/export.md that
need ONNX Runtime, NumPy and Pillow only. The picture is made by the script. Expect a minute.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import Row, options, report, row
from PIL import Image

from apnet.exporting import export

_PAGE = Path(__file__).parents[1] / "docs" / "export.md"
_NO_TORCH = "import sys; sys.modules['torch'] = None\n"
_READER = """
from apnet.exported.onnx_reader import OnnxReader
assert OnnxReader("people.onnx").embed(["a.jpg"]).shape == (1, 1280)
"""
_GOAL = 1.0


def stand_alone() -> str:
    """Returns the lines of the page that need nothing of this package."""
    found = re.findall(r"```python\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines: str = next(each for each in found if "onnxruntime.InferenceSession" in each)
    return lines.replace('("a.jpg", "b.jpg")', '("a.jpg",)')


def seconds(code: str, folder: Path) -> float:
    """Returns the wall seconds of a process that runs some code."""
    begun = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, env=_ONE_THREAD
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return time.perf_counter() - begun


_ONE_THREAD = os.environ | {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS")}


def measured(runs: int) -> Iterator[Row]:
    """Yields a row per way to read the file, and one with the import of torch."""
    ways = {
        "OnnxReader, first embedding, s": _NO_TORCH + _READER,
        "ONNX Runtime alone, first embedding, s": _NO_TORCH + stand_alone(),
        "import torch, s": "import torch",
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pixels = np.random.default_rng(0).integers(0, 256, (256, 128, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "a.jpg")
        export(None, "onnx", folder / "people.onnx")
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(runs + 1):  # the first fills the disk's cache
            for way, code in ways.items():
                spent = seconds(code, folder)
                if number:
                    taken[way].append(spent)
    for way, each in taken.items():
        goal = None if way.startswith("import") else _GOAL
        yield row(way, statistics.median(each), at_most=goal)


def main() -> None:
    """Measures and prints."""
    given = options(__doc__, runs=7).parse_args()
    report(measured(1 if given.small else given.runs), given)


if __name__ == "__main__":
    main()
