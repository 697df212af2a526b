"""The demo report's sentences."""

from __future__ import annotations

from apnet.report import SystemResult
from apnet.types import ReidDataset, pids_of

NOTES = (
    "A demonstration: small networks, a few minutes of training, one seed. The figures say nothing "
    "about the method's rank among others, and a difference of a point or two between the networks "
    "is within the spread of seeds.",
    "A network trained for minutes, or on synthetic people alone, is not fit for photographs.",
    "Intended for research on re-identification. Do not use it to identify or follow people "
    "without their consent and a legal basis; a similarity is not an identification.",
)


def summary(dataset: ReidDataset, systems: list[SystemResult]) -> str:
    """Says in one paragraph what was done and found."""
    pyramid, baseline, histogram = systems
    people = len(pids_of(dataset.query))
    return (
        f"A small network with a channel attention pyramid learned to re-identify people from "
        f"{len(dataset.train)} images of {len(pids_of(dataset.train))} people, starting from "
        f"random weights. On {people} people it has never seen it reaches an mAP of "
        f"{pyramid.evaluation.mAP:.1%} and finds the right person first for "
        f"{pyramid.evaluation.rank(1):.1%} of the queries. The same network without pyramid "
        f"reaches {baseline.evaluation.mAP:.1%} mAP, and matching colours alone "
        f"{histogram.evaluation.mAP:.1%}."
    )
