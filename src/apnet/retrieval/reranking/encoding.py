"""The k-reciprocal neighbours of every image as sparse weight vectors (Zhong et al., 2017).

Every step works on blocks of images, so that its working memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from apnet.retrieval.ranking.scorer import Indices, Keys
from apnet.retrieval.reranking.neighbours import JointSet, Neighbours
from apnet.retrieval.reranking.sparse import SparseRows

Nearest = NDArray[np.int32]
Mask = NDArray[np.bool_]

_AT_ONCE = 1 << 20
"""Entries per block: some 100 MiB."""


def encode(joint: JointSet, found: Neighbours, k1: int, k2: int) -> SparseRows:
    """Returns the vectors V, one per image, from which Jaccard distances are computed.

    F(i, k) are the first k + 1 neighbours of image i, including i itself unless images tie with it:

    1. R(i) are those j of F(i, k1) that have i in F(j, k1). H(j) is the same with h = k1 / 2,
       rounded to the even number where it lies between two.
    2. R*(i) is R(i) with H(j) of every j in R(i) of which more than two thirds lie in R(i).
    3. V(i, j) = exp(-d(i, j)) for j in R*(i), else 0, divided by their sum. d is the squared
       distance divided by the largest from i.
    4. Unless k2 is 1, V(i) becomes the mean of V(j) over the first k2 of row i.

    If copies of an image fill its list of neighbours, R(i) may be empty; V(i) of step 3 is then 0.

    Args:
        joint: N images.
        found: their max(k1 + 1, k2) nearest images, or all.
        k1: at least 1.
        k2: at least 1.

    Returns:
        (N, N), with one row per image.
    """
    near = np.ascontiguousarray(found.nearest[:, : k1 + 1])
    half = near[:, : int(np.around(k1 / 2)) + 1]
    mutual, half_mutual = _mutual(near), _mutual(np.ascontiguousarray(half))
    pairs = _expanded((near, mutual), (half, half_mutual))
    weighted = SparseRows.of(
        len(joint),
        ((rows, columns, _weights(joint, found, rows, columns)) for rows, columns in pairs),
    )
    if k2 == 1:
        return weighted
    return SparseRows.of(len(joint), _averaged(weighted, found.nearest[:, :k2]))


def scaled(squared: Keys, farthest: Keys) -> Keys:
    """Returns distances divided by the largest ones; 0 where the largest is 0."""
    return np.divide(squared, farthest, out=np.zeros(squared.shape), where=farthest > 0)


def _blocks(count: int, entries_each: int) -> Iterator[slice]:
    step = max(1, _AT_ONCE // max(1, entries_each))
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def _mutual(near: Nearest) -> Mask:
    """Returns a mask (N, k) of the neighbours that have the image among their own k."""
    mutual = np.empty(near.shape, dtype=bool)
    for block in _blocks(len(near), near.shape[1] ** 2):
        rows = np.arange(block.start, block.stop, dtype=near.dtype)[:, None, None]
        mutual[block] = (near[near[block]] == rows).any(axis=2)  # (b, k, k) -> (b, k)
    return mutual


def _expanded(
    full: tuple[Nearest, Mask], half: tuple[Nearest, Mask]
) -> Iterator[tuple[Indices, Indices]]:
    """Yields the pairs (i, j of R*(i)), by i and then by j, in blocks."""
    (near, mutual), (half_near, half_mutual) = full, half
    count = len(near)
    for block in _blocks(count, near.shape[1] * half_near.shape[1]):
        rows, places = mutual[block].nonzero()
        candidates = near[block][rows, places]
        own = rows * count + candidates  # one number per pair (i, j)
        inside = half_mutual[candidates]  # (c, h)
        theirs = rows[:, None] * count + half_near[candidates]
        shared = inside & np.isin(theirs, own)
        taken = 3 * shared.sum(axis=1) > 2 * inside.sum(axis=1)
        pairs = np.unique(np.concatenate([own, theirs[taken][inside[taken]]]))
        yield pairs // count + block.start, pairs % count


def _weights(joint: JointSet, found: Neighbours, rows: Indices, columns: Indices) -> Keys:
    """Returns the weights (n,) of step 3 for the pairs of complete rows."""
    weights = np.exp(-scaled(joint.distances(rows, columns), found.farthest[rows]))
    sums = np.bincount(rows, weights)
    normalised: Keys = weights / sums[rows]
    return normalised


def _averaged(vectors: SparseRows, nearest: Nearest) -> Iterator[tuple[Indices, Indices, Keys]]:
    """Yields entries of the mean vectors over each image's nearest, in blocks."""
    count, k = nearest.shape
    usual = 1 + k * len(vectors.columns) // max(1, count)
    for block in _blocks(count, usual):
        owners, places = vectors.entries_of(nearest[block].ravel().astype(np.int64))
        pairs, back = np.unique(
            (owners // k) * count + vectors.columns[places], return_inverse=True
        )
        means = np.bincount(back, vectors.values[places], minlength=len(pairs)) / k
        yield pairs // count + block.start, pairs % count, means
