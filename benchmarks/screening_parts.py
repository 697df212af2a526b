"""What 8-bit screening spends its time on, as shares of the float32 product (ADR 74).

    python benchmarks/screening_parts.py [--small] [--json] [--runs N]

Processor seconds of one thread, medians of several runs that take turns. The features come from
``benchmarks/evaluation.py``, which says which variables imitate a processor without AVX-512.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from common import Row, medians, one_thread, options, report, row
from evaluation import BLOCK, MARKET, SMALL, people, product, product_of_torch, ranked

from apnet.retrieval.ranking import candidates
from apnet.retrieval.ranking.comparison import Comparison
from apnet.retrieval.ranking.screening import Screener
from apnet.types import Embeddings

Sets = tuple[Embeddings, Embeddings]


def parts(kind: str, sets: Sets, runs: int) -> Iterator[Row]:
    """The integer product alone, the pairs that it leaves open, and what these cost."""
    query, gallery = sets
    comparison = Comparison(query.features, gallery.features, "cosine", "int8")
    assert comparison.screener is not None
    opened = open_pairs(sets)
    works = [
        partial(product, *sets),
        partial(product_of_torch, *sets),
        partial(multiplied, comparison.screener, len(query)),
        partial(computed_again, comparison, opened),
        partial(ranked, *sets, "int8"),
        partial(ranked, *sets, "numpy"),
    ]
    taken = medians(works, runs)
    float32 = min(taken[:2])
    shares = np.array([len(columns) for columns in opened.values()]) / len(gallery)
    pairs = sum(len(columns) for columns in opened.values())
    yield row(f"{kind}: product of integers over float32's", taken[2] / float32)
    yield row(f"{kind}: pairs computed again over float32 product", taken[3] / float32)
    yield row(f"{kind}: microseconds per pair computed again", 1e6 * taken[3] / max(1, pairs))
    yield row(f"{kind}: share of the gallery open, mean", float(shares.mean()))
    yield row(f"{kind}: queries with more than 1/32 open", float((shares > 1 / 32).mean()))
    yield row(f"{kind}: the rest over float32 product", (taken[4] - taken[2] - taken[3]) / float32)
    yield row(f"{kind}: int8 evaluation over float32 product", taken[4] / float32)
    yield row(f"{kind}: float32 evaluation over float32 product", taken[5] / float32)


def multiplied(screener: Screener, queries: int) -> None:
    """The integer product of all queries, with its conversion of queries to integers."""
    for start in range(0, queries, BLOCK):
        screener.product.block(np.arange(start, min(start + BLOCK, queries)))


def computed_again(comparison: Comparison, opened: dict[int, np.ndarray]) -> None:
    """The refined scores of the open pairs of every query."""
    for number, columns in opened.items():
        comparison.refined(number, columns)


def open_pairs(sets: Sets) -> dict[int, np.ndarray]:
    """By query: the gallery images that the integer product leaves open, hard queries too."""
    opened: dict[int, np.ndarray] = {}
    settle = candidates._Sketch.settle

    def noted(sketch: candidates._Sketch, scorer: object) -> candidates.Candidates:
        found = sketch.candidates
        assert found.columns is not None
        opened[found.row] = found.columns[sketch.open]
        return settle(sketch, scorer)  # type: ignore[arg-type]

    candidates._Sketch.settle = noted  # type: ignore[method-assign, assignment]
    try:
        ranked(*sets, "int8")
    finally:
        candidates._Sketch.settle = settle  # type: ignore[method-assign]
    return opened


def main() -> None:
    """Measures and prints."""
    given = options(__doc__, runs=3).parse_args()
    one_thread()
    size = SMALL if given.small else MARKET
    found = (
        each
        for kind in ("trained", "spread")
        for each in parts(kind, people(size, kind), given.runs)
    )
    report(found, given)


if __name__ == "__main__":
    main()
