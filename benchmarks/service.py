"""How the service answers many clients: errors, times, memory, and its speed beside the engine's.

    python benchmarks/service.py [--seconds 120] [--clients 8] [--small]

Starts ``apnet serve`` on loopback with the shipped network and a gallery of synthetic crops. Each
client sends one picture after another to ``/v1/search``. The bare engine embeds the same pictures
in the service's batches and searches for them, in this process, before and after.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import common
import httpx
import numpy as np
from common import Row, row

import apnet
from apnet.synthetic import make_people

PEOPLE = {"ids": 16, "images_per_id": 8, "cameras": 4, "size": (128, 64), "seed": 5}
BATCH = 8


@dataclass
class Client:
    """What one client met."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0

    def ask(self, address: str, pictures: Sequence[bytes], end: float) -> None:
        """Sends one picture after another until the end."""
        with httpx.Client(base_url=address, timeout=60) as client:
            number = id(self) % len(pictures)
            while time.monotonic() < end:
                begun = time.monotonic()
                files = [("pictures", ("a.jpg", pictures[number], "image/jpeg"))]
                answer = client.post("/v1/search", files=files)
                self.seconds.append(time.monotonic() - begun)
                self.errors += answer.status_code != 200
                number = (number + 1) % len(pictures)


def bare(gallery: Any, pictures: Sequence[bytes], seconds: float) -> float:
    """Returns the pictures per second of the engine alone, decoding and search included."""
    from apnet.data.images import decode_image

    done, begun = 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        chosen = [pictures[(done + each) % len(pictures)] for each in range(BATCH)]
        images = [decode_image(each, "picture") for each in chosen]
        gallery.search_many(gallery.model.embed(images).features)
        done += BATCH
    return done / (time.monotonic() - begun)


def resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def rows(given: Any) -> Iterator[Row]:
    """Yields errors, times, memory and speed."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "people"
        make_people(made, **PEOPLE)
        place = Path(folder) / "people.gallery"
        data = apnet.load_dataset("market1501", made)
        with apnet.Gallery.create(place) as gallery:
            gallery.add_folder(made / "bounding_box_test")
            pictures = [Path(each.path).read_bytes() for each in data.query]
            before = bare(gallery, pictures, given.seconds / 4)
            yield from _served(given, place, pictures, before, gallery)


def _served(
    given: Any, place: Path, pictures: Sequence[bytes], before: float, gallery: Any
) -> Iterator[Row]:
    command = [sys.executable, "-m", "apnet", "serve", place, "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    address = re.search(r"http://\S+?:\d+", process.stderr.readline())[0]  # type: ignore[index]
    threading.Thread(target=lambda: [0 for _ in process.stderr], daemon=True).start()
    try:
        warm = [Client() for _ in range(given.clients)]
        _run(warm, address, pictures, min(given.seconds / 4, 10))
        begun = resident(process.pid)
        clients = [Client() for _ in range(given.clients)]
        _run(clients, address, pictures, given.seconds)
        grown = resident(process.pid) / begun
    finally:
        process.terminate()
        process.wait()
    after = bare(gallery, pictures, given.seconds / 4)
    times = sorted(second for each in clients for second in each.seconds)
    p50, p99 = np.percentile(times, [50, 99])
    yield row(f"{given.clients} clients, {given.seconds:g} s: errors",
              sum(each.errors for each in clients), at_most=0)  # fmt: skip
    yield row("answers", len(times))
    yield row("time of an answer, median, ms", p50 * 1e3)
    yield row("99th percentile over the median", p99 / p50, at_most=5)
    yield row("memory at the end over that at the beginning", grown, at_most=1.05)
    speed = len(times) / given.seconds
    yield row("pictures per second", speed)
    yield row("pictures per second over the engine's", speed / statistics.mean((before, after)),
              at_least=0.8)  # fmt: skip


def _run(
    clients: Sequence[Client], address: str, pictures: Sequence[bytes], seconds: float
) -> None:
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=each.ask, args=(address, pictures, end)) for each in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    """Reads the command line and prints the rows."""
    parser = common.options(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--clients", type=int, default=8)
    given = parser.parse_args()
    common.report(rows(given), given)


if __name__ == "__main__":
    main()
