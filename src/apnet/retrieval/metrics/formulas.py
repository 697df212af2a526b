"""Retrieval figures from the ranks of the matches (section IV-A); formulas, no data.

Ranks of V queries lie one query after the other in one array, ascending within a query:
``ranks`` (M,) from 1, ``counts`` (V,) matches of each query, all at least 1, summing to M.
A query's m matches have the ranks r_1 < ... < r_m.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ranks = NDArray[np.int64]
Shares = NDArray[np.float64]


def average_precision(ranks: Ranks, counts: Ranks) -> Shares:
    """Returns the mean of the precisions at the hits, (V,): 1/m sum_i i / r_i."""
    found = _ordinals(counts)
    return _means(found / ranks, counts)


def trapezoidal_average_precision(ranks: Ranks, counts: Ranks) -> Shares:
    """Returns the area under the precision-recall line by trapezia, (V,).

    1/(2m) sum_i [ i / r_i + (i - 1) / (r_i - 1) ], where the second term is 1 at r_i = 1: the form
    of the Oxford buildings and Market-1501 evaluation programs.
    """
    found = _ordinals(counts)
    before = np.divide(found - 1, ranks - 1, out=np.ones(len(ranks)), where=ranks > 1)
    return _means((found / ranks + before) / 2, counts)


def inverse_negative_penalty(ranks: Ranks, counts: Ranks) -> Shares:
    """Returns m / r_m, (V,): how little stands between a query and its last match."""
    last: Shares = counts / ranks[np.cumsum(counts) - 1]
    return last


def first_matches(ranks: Ranks, counts: Ranks) -> Ranks:
    """Returns r_1, (V,)."""
    first: Ranks = ranks[np.cumsum(counts) - counts]
    return first


def cumulative_matching(first: Ranks, length: int) -> Shares:
    """Returns the CMC curve (length,): the share of queries with r_1 <= k, k = 1..length.

    Args:
        first: (V,) ranks of the first matches, V >= 1.
        length: how many k; a curve longer than the gallery stays at its last value.
    """
    hits = np.bincount(first[first <= length], minlength=length + 1)[1:]
    curve: Shares = np.cumsum(hits) / len(first)
    return curve


def _ordinals(counts: Ranks) -> Ranks:
    starts = np.cumsum(counts) - counts
    ordinals: Ranks = np.arange(1, counts.sum() + 1) - np.repeat(starts, counts)
    return ordinals


def _means(values: Shares, counts: Ranks) -> Shares:
    means: Shares = np.add.reduceat(values, np.cumsum(counts) - counts) / counts
    return means
