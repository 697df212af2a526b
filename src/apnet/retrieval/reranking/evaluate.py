"""k-reciprocal re-ranking: images are near when their neighbourhoods are alike.

Z. Zhong, L. Zheng, D. Cao, S. Li: Re-ranking Person Re-identification with k-reciprocal Encoding,
CVPR 2017; the arithmetic is that of the code published with it. No labels are used. Queries and
gallery form one joint set, in this order, of N images, and every image of it takes part in the
neighbourhoods, junk and a query's own file too.

* The original distance d(i, j) is the squared Euclidean one, divided by the largest that i has.
* ``reranking_encoding.encode`` gives every image a vector V(i) of weights, which sum to 1, over its
  mutual neighbours.
* The Jaccard distance of a query and a gallery image is 1 - s / (2 - s), s = sum_j min(V(q, j),
  V(g, j)). Only images that share a neighbour add to s: an inverted index finds them.
* The final distance is (1 - lambda) times the Jaccard one plus lambda times d.

Distances that decide something, as who is a neighbour or which of two images comes first, are
computed as in ``comparison``: the ranks do not depend on block size, threads or library.
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
    """Ranks the gallery by the re-ranked distance, exactly, and returns the figures.

    Matches, junk and figures are those of ``evaluate``; the card names the re-ranking. All N images
    are compared with each other, so it takes about (N / Q) times as long as a plain evaluation.

    Memory beyond the features: one copy of them, half of one where it screens in bf16, the blocks
    of ``evaluate``, some 100 MiB of working memory, and for each image about 30 n + 4 max(k1 + 1,
    k2) bytes, n being the entries of its vector; never an (N, N) or (Q, G) array.

    Args:
        query: Q searches.
        gallery: G images.
        card: the protocol; its distance, junk rule and AP kind decide.
        settings: of the re-ranking.
        threads: blocks in work at once; by default the cores, at most 2.
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
    """Yields the re-ranked distances of blocks of queries: their indices (B,), and (B, G) float64.

    Their last bits follow those of a matrix product: compare within about 1e-6.

    Args:
        query: (Q, D) float32 or float64, finite.
        gallery: (G, D), likewise.
        settings: of the re-ranking.
        distance: ``cosine``, or ``euclidean`` on the features as given.
        threads: blocks in work at once; by default the cores, at most 2.

    Raises:
        DataError: the dimensions differ.
    """
    threads = threads or default_threads()
    comparison = RerankedComparison((query, gallery), distance, settings, threads, silent)
    size = rows_in_block(comparison.row_bytes, comparison.feature_bytes, threads)
    for rows, scores in over_blocks(comparison.screen, len(query), size, threads):
        yield rows, np.subtract(0.0, scores, dtype=np.float64)
