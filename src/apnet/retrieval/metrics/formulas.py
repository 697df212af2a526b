"""Retrieval metrics as functions of the ranks of the matches (section IV-A).

A query has m matches at the ranks r_1 < ... < r_m. Every function takes the ranks of V queries at
once, concatenated: ``ranks`` (M,) from 1, ascending within a query, and ``counts`` (V,), the number
of matches per query, each at least 1, with sum M.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ranks = NDArray[np.int64]
Shares = NDArray[np.float64]


def average_precision(ranks: Ranks, counts: Ranks) -> Shares:
    """Returns the average precision as the mean of the precisions at the hits, (V,).

    1/m sum_i i / r_i.
    """
    return _means(_ordinals(counts) / ranks, counts)


def trapezoidal_average_precision(ranks: Ranks, counts: Ranks) -> Shares:
    """Returns the average precision by the trapezoidal rule, (V,).

    1/(2m) sum_i [ i / r_i + (i - 1) / (r_i - 1) ], where the second term is 1 at r_i = 1: the
    formula of the Oxford buildings and Market-1501 evaluation programs.
    """
    ordinals = _ordinals(counts)
    before = np.divide(ordinals - 1, ranks - 1, out=np.ones(len(ranks)), where=ranks > 1)
    return _means((ordinals / ranks + before) / 2, counts)


def inverse_negative_penalty(ranks: Ranks, counts: Ranks) -> Shares:
    """Returns m / r_m, (V,): 1 where all matches precede all other images."""
    last: Shares = counts / ranks[np.cumsum(counts) - 1]
    return last


def matched_within(ranks: Ranks, counts: Ranks, *, k: int) -> Shares:
    """Returns 1 if r_1 <= k, else 0, (V,): its mean over the queries is the CMC at rank k."""
    return (first_matches(ranks, counts) <= k).astype(np.float64)


def first_matches(ranks: Ranks, counts: Ranks) -> Ranks:
    """Returns the rank of the first match r_1, (V,)."""
    first: Ranks = ranks[np.cumsum(counts) - counts]
    return first


def cumulative_matching(first: Ranks, length: int) -> Shares:
    """Returns the CMC curve (length,): the share of queries with r_1 <= k, k = 1..length.

    Args:
        first: (V,) ranks of the first matches, V >= 1.
        length: the largest k.
    """
    hits = np.bincount(first[first <= length], minlength=length + 1)[1:]
    curve: Shares = np.cumsum(hits) / len(first)
    return curve


def _ordinals(counts: Ranks) -> Ranks:
    """Returns i = 1..m of each query's matches, (M,)."""
    starts = np.cumsum(counts) - counts
    ordinals: Ranks = np.arange(1, counts.sum() + 1) - np.repeat(starts, counts)
    return ordinals


def _means(values: Shares, counts: Ranks) -> Shares:
    """Returns the mean (V,) of each query's values (M,)."""
    means: Shares = np.add.reduceat(values, np.cumsum(counts) - counts) / counts
    return means
