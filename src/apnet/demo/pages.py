"""The demo's two pages: the first results of what needs no training, and the whole comparison."""

from __future__ import annotations

from collections.abc import Mapping

from apnet.demo.panels import attention_panels, ranked_galleries
from apnet.demo.systems import NetworkResult
from apnet.demo.wording import GOES_ON, NOTES, first_headline, first_summary, headline, summary
from apnet.report import ReportPage, SystemResult, TrainingCurve
from apnet.results import Evaluation
from apnet.types import ReidDataset

ATTENTION_METHOD = "mean magnitude of the features"

_ROWS: Mapping[str, tuple[str, str]] = {
    "pyramid": (
        "Attention pyramid",
        "small ResNet with a channel pyramid after each stage, trained from random weights",
    ),
    "baseline": (
        "No pyramid",
        "the same network without attention, trained on the same images for as many steps",
    ),
    "shipped": (
        "Shipped network",
        "EfficientNet-Lite0 with pyramid, trained on other synthetic people; not trained here",
    ),
    "histogram": ("Colour histogram", "colours by horizontal stripe, no learning"),
}
"""Name and description of each row of the results, in their order."""


def rows(
    networks: Mapping[str, NetworkResult], histogram: Evaluation, seconds: float
) -> list[SystemResult]:
    """Returns the rows of the results table.

    Args:
        networks: by key: ``shipped``, and once they are trained ``pyramid`` and ``baseline``.
        histogram: figures of the colour histogram.
        seconds: that the histogram took.
    """
    found = {key: (each.evaluation, each.seconds) for key, each in networks.items()}
    found["histogram"] = (histogram, seconds)
    return [SystemResult(key, *_ROWS[key], *found[key]) for key in _ROWS if key in found]


def first_page(
    dataset: ReidDataset,
    systems: list[SystemResult],
    shipped: NetworkResult,
    facts: list[tuple[str, str]],
) -> ReportPage:
    """Returns the page that is shown while the networks are trained."""
    return ReportPage(
        title=first_headline(systems),
        summary=first_summary(dataset, systems),
        status=GOES_ON,
        systems=systems,
        galleries=ranked_galleries(shipped),
        attention=attention_panels(shipped),
        facts=facts,
        notes=NOTES,
        ranked_by=_ROWS["shipped"][0],
        attention_by=_ROWS["shipped"][0],
        attention_method=ATTENTION_METHOD,
    )


def final_page(
    dataset: ReidDataset,
    systems: list[SystemResult],
    networks: Mapping[str, NetworkResult],
    facts: list[tuple[str, str]],
) -> ReportPage:
    """Returns the page of the whole comparison."""
    pyramid = networks["pyramid"]
    return ReportPage(
        title=headline(systems),
        summary=summary(dataset, systems),
        systems=systems,
        curves=[
            TrainingCurve(
                _ROWS[key][0],
                [entry["epoch"] for entry in networks[key].history],
                [entry["loss"] for entry in networks[key].history],
            )
            for key in ("pyramid", "baseline")
        ],
        galleries=ranked_galleries(pyramid),
        attention=attention_panels(pyramid),
        facts=facts,
        notes=NOTES,
        ranked_by=_ROWS["pyramid"][0],
        attention_by=_ROWS["pyramid"][0],
        attention_method=ATTENTION_METHOD,
    )
