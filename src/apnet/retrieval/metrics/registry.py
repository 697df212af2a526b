"""The metrics of an evaluation, by name.

To add one, write its function (``formulas``) and add a line to ``METRICS``. It then appears in
``Evaluation.values``, the JSON form, the text tables, the breakdown, the HTML report,
``metrics.json`` and the records of the reproduction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from apnet.results import ProtocolCard
from apnet.retrieval.metrics import formulas
from apnet.retrieval.metrics.formulas import Ranks, Shares

Formula = Callable[[Ranks, Ranks], Shares]
"""From the ranks (M,) and the counts (V,) of V queries' matches (``formulas``) to V values."""


@dataclass(frozen=True)
class Metric:
    """A metric: a value from 0 to 1 per query, and how its mean over the valid queries is shown."""

    formula: Formula
    """Computes the values of many queries at once; ``per_query`` adapts a function of one query."""

    label: str
    """Name in tables."""

    note: str = ""
    """Explanation beside the value where one evaluation is printed."""

    in_comparisons: bool = True
    """Whether tables that compare several systems have a column for it."""

    in_breakdown: bool = True
    """Whether the breakdown has a column for it."""


def per_query(function: Callable[[Ranks], float]) -> Formula:
    """Returns the formula of a metric that is written for one query.

    Args:
        function: from the ranks (m,) of one query's matches, from 1 and ascending, m >= 1, to a
            fraction from 0 to 1. The ranks count gallery images that are not ignored.
    """

    def formula(ranks: Ranks, counts: Ranks) -> Shares:
        queries = np.split(ranks, np.cumsum(counts)[:-1])
        return np.array([function(query) for query in queries], dtype=np.float64)

    return formula


METRICS: dict[str, Metric] = {
    "mINP": Metric(formulas.inverse_negative_penalty, "mINP", in_breakdown=False),
    "rank1": Metric(partial(formulas.matched_within, k=1), "rank-1"),
    "rank5": Metric(partial(formulas.matched_within, k=5), "rank-5", in_breakdown=False),
    "rank10": Metric(partial(formulas.matched_within, k=10), "rank-10", in_breakdown=False),
    "mAP_hits": Metric(
        formulas.average_precision,
        "mAP, hits",
        "mean of the precisions at the hits",
        in_comparisons=False,
        in_breakdown=False,
    ),
    "mAP_trapezoidal": Metric(
        formulas.trapezoidal_average_precision,
        "mAP, trapezoidal",
        "trapezoidal rule",
        in_comparisons=False,
        in_breakdown=False,
    ),
}
"""Every metric by its key in JSON. ``mAP`` is not a line: it is ``mAP_hits`` or
``mAP_trapezoidal``, as the protocol card selects."""


def comparison_labels() -> dict[str, str]:
    """Returns the columns of tables that compare systems: labels by JSON key, mAP first."""
    chosen = {key: metric.label for key, metric in METRICS.items() if metric.in_comparisons}
    return {"mAP": "mAP", **chosen}


def breakdown_metrics(card: ProtocolCard) -> Mapping[str, Metric]:
    """Returns the metrics of a breakdown by JSON key, mAP of the card's kind first."""
    chosen = {key: metric for key, metric in METRICS.items() if metric.in_breakdown}
    return {"mAP": METRICS[card.ap_metric], **chosen}
