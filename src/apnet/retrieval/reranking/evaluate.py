"""k-reciprocal re-ranking: images are near when they share nearest neighbours.

Z. Zhong, L. Zheng, D. Cao, S. Li: Re-ranking Person Re-identification with k-reciprocal Encoding,
CVPR 2017; the formulas are those of the code published with it. Labels are not used. Queries and
gallery form a joint set of N images, queries first. All N images can be neighbours, also junk and
the query's own file.

* The original distance d(i, j) is the squared Euclidean distance, divided by the largest one of i.
* ``encoding.encode`` computes a vector V(i) of weights over the mutual neighbours of every image;
  the weights sum to 1.
* The Jaccard distance of a query q and a gallery image g is 1 - s / (2 - s), with
  s = sum_j min(V(q, j), V(g, j)). An inverted index finds the images with s > 0.
* The final distance is (1 - lambda) times the Jaccard distance plus lambda times d.

Distances that decide about neighbours or about the order of two images are computed like the keys
of ``ranking.comparison``: the ranks do not depend on block size, threads or library.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from apnet.progress import Progress, silent
from apnet.results import Distance, Evaluation, ProtocolCard
from apnet.retrieval.ranking.blocks import default_threads, over_blocks, rows_in_block
from apnet.retrieval.ranking.evaluate import evaluate_scorer
from apnet.retrieval.ranking.relevance import Relevance
from apnet.retrieval.ranking.scorer import Features, Indices, Keys
from apnet.retrieval.reranking.comparison import RerankedComparison
from apnet.retrieval.reranking.settings import Reranking
from apnet.types import Embeddings


def evaluate_reranked(
    query: Embeddings,
    gallery: Embeddings,
    *,
    card: ProtocolCard,
    settings: Reranking,
    threads: int | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Returns the metrics of every query's exact ranking by the re-ranked distance.

    Matches, junk and metrics are those of ``evaluate``; the card of the result names the
    re-ranking. All N images are compared with each other, which takes about N / Q times as long as
    a plain evaluation.

    Memory beyond the features: one copy of them, half a copy where they are screened in bf16, the
    blocks of ``evaluate``, some 100 MiB of working memory, and per image about
    30 n + 4 max(k1 + 1, k2) bytes, where n is the number of entries of its vector. No (N, N) or
    (Q, G) array is allocated.

    Args:
        query: Q queries.
        gallery: G images.
        card: the protocol; its distance, junk rule and AP kind are used.
        settings: of the re-ranking.
        threads: blocks processed at once; by default the number of cores, at most 2.
        progress: called with (images done, N + Q).

    Raises:
        DataError: the dimensions differ, or no query has a match in the gallery.
    """
    threads = threads or default_threads()
    named = dataclasses.replace(card, reranking=str(settings))
    total = 2 * len(query) + len(gallery)
    relevance = Relevance(query, gallery, card.junk_rule)
    comparison = RerankedComparison(
        (query.features, gallery.features),
        card.distance,
        settings,
        threads,
        lambda done, _: progress(done, total),
    )

    def ranking(done: int, queries: int) -> None:
        progress(total - queries + done, total)

    return evaluate_scorer(comparison, relevance, named, threads, ranking)


def reranked_distances(
    query: Features,
    gallery: Features,
    *,
    settings: Reranking,
    distance: Distance = "cosine",
    threads: int | None = None,
) -> Iterator[tuple[Indices, Keys]]:
    """Yields, block by block, the indices (B,) of queries and their re-ranked distances (B, G).

    The distances are float64, but their error is that of a float32 matrix product: about 1e-6.

    Args:
        query: (Q, D) float32 or float64, finite.
        gallery: (G, D), likewise.
        settings: of the re-ranking.
        distance: ``cosine``, or ``euclidean`` between the features as given.
        threads: blocks processed at once; by default the number of cores, at most 2.

    Raises:
        DataError: the dimensions differ.
    """
    threads = threads or default_threads()
    comparison = RerankedComparison((query, gallery), distance, settings, threads, silent)
    size = rows_in_block(comparison.row_bytes, comparison.feature_bytes, threads)
    for rows, scores in over_blocks(comparison.screen, len(query), size, threads):
        yield rows, np.subtract(0.0, scores, dtype=np.float64)
