"""How well identities were given to tracklets: IDF1 and pairwise F1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from apnet.extras import require
from apnet.gallery.track_tables import Assignment


def score_assignments(assignments: Sequence[Assignment]) -> Mapping[str, float] | None:
    """Scores assignments against the truth, ``None`` where that is not known of every crop.

    An unsure tracklet counts as a person of its own.

    Returns:
        ``idf1``: 2 IDTP / (2 IDTP + IDFP + IDFN) over crops, with the one-to-one matching of true
        and given identities that is best (Ristani et al., 2016); ``pairwise_f1``,
        ``pairwise_precision``, ``pairwise_recall``: over pairs of tracklets that have one identity.
    """
    truths = [{crop.truth for crop in each.tracklet.crops} for each in assignments]
    if not assignments or any("" in truth or len(truth) != 1 for truth in truths):
        return None
    true = [next(iter(truth)) for truth in truths]
    given = [
        f"unsure {number}" if each.decision == "unsure" else f"as {each.identity}"
        for number, each in enumerate(assignments)
    ]
    weights = [len(each.tracklet.crops) for each in assignments]
    return {"idf1": idf1(true, given, weights), **pairwise(true, given)}


def idf1(true: Sequence[str], given: Sequence[str], weights: Sequence[int]) -> float:
    """Returns IDF1, from 0 to 1.

    Args:
        true: T true identities of tracklets.
        given: T identities that they were given.
        weights: T numbers of crops.
    """
    rows, columns = sorted(set(true)), sorted(set(given))
    counts = np.zeros((len(rows), len(columns)))
    row_of = {name: number for number, name in enumerate(rows)}
    column_of = {name: number for number, name in enumerate(columns)}
    for truth, name, weight in zip(true, given, weights, strict=True):
        counts[row_of[truth], column_of[name]] += weight
    assign = require("scipy.optimize", "gallery").linear_sum_assignment
    matched = float(counts[assign(counts, maximize=True)].sum())
    return matched / float(counts.sum())  # every crop is true and given once: IDFP = IDFN


def pairwise(true: Sequence[str], given: Sequence[str]) -> dict[str, float]:
    """Returns precision, recall and F1 over pairs of tracklets of one identity, from 0 to 1."""
    both = _pairs(list(zip(true, given, strict=True)))
    in_truth, in_given = _pairs(true), _pairs(given)
    precision = both / in_given if in_given else 1.0
    recall = both / in_truth if in_truth else 1.0
    f1 = 2 * precision * recall / (precision + recall) if both else 0.0
    return {"pairwise_f1": f1, "pairwise_precision": precision, "pairwise_recall": recall}


def _pairs(names: Sequence[object]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(names).values())
