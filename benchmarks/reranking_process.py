"""One re-ranking in a fresh process: its seconds, its peak memory, and some of its distances.

    python benchmarks/reranking_process.py NAME FOLDER

The folder holds the features. ``reranking.py`` makes it and calls this, also in the peer's Python;
torch is loaded, before the clock starts, where the name asks for it.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

KEPT = 64
"""Queries of which the algorithms' distances are compared."""
K1, K2, WEIGHT = 20, 6, 0.3


def sparse(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """The package's, block by block; only the first queries' distances are kept."""
    from apnet.retrieval import Reranking, reranked_distances

    kept = np.empty((min(KEPT, len(query)), len(gallery)))
    blocks = reranked_distances(query, gallery, settings=Reranking(K1, K2, WEIGHT), threads=1)
    for rows, block in blocks:
        wanted = rows < len(kept)
        kept[rows[wanted]] = block[wanted]
    return kept


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


def evaluating(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """The package's whole evaluation; who is who is made up, as the work does not depend on it."""
    from apnet.retrieval import Reranking, default_card, evaluate_reranked
    from apnet.types import Embeddings

    people = len(query)
    sets = {
        name: Embeddings(features, np.arange(len(features)) % people, camids)
        for name, features, camids in (
            ("query", query, np.zeros(people, np.int64)),
            ("gallery", gallery, np.ones(len(gallery), np.int64)),
        )
    }
    settings = Reranking(K1, K2, WEIGHT)
    found = evaluate_reranked(**sets, card=default_card(**sets), settings=settings)
    return found.average_precision[:, None]


ALGORITHMS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "sparse": sparse,
    "screened": sparse,
    "dense": dense,
    "torchreid": torchreid,
    "evaluation": evaluating,
}


def peak_gib() -> float:
    """The most memory this process has held so far."""
    status = Path("/proc/self/status").read_text().splitlines()
    kib = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    return int(kib) / (1 << 20)


WITH_TORCH = ("screened", "evaluation")
"""Where torch is loaded, as where a network has just embedded, the package screens in bf16."""


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    query, gallery = (
        np.load(folder / f"{part}.npy", allow_pickle=False) for part in ("query", "gallery")
    )
    if name in WITH_TORCH:
        import torch

        torch.set_num_threads(1)
    start = time.process_time()
    found = ALGORITHMS[name](query, gallery)
    seconds = time.process_time() - start
    figures = {"seconds": seconds, "peak_gib": peak_gib()}
    np.save(folder / f"{name}.npy", found[:KEPT])
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
