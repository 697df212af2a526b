"""The demo report's sentences: which system won, at which figure, and what that is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from apnet.report import SystemResult
from apnet.types import ReidDataset, pids_of

LEVEL = 0.02
"""mAP by which two networks must differ to be called better and worse; seeds differ by as much."""

GOES_ON = "Training goes on; this page is replaced when it ends. Load it again then."

NOTES = (
    "A demonstration: small networks, a few minutes of training, one seed. The figures say nothing "
    "about the method's rank among others, and a difference of a point or two between the networks "
    "is within the spread of seeds.",
    "The shipped network was trained longer, on more people, in the same style of rendering: it is "
    "no rival of the two trained here, but what to expect of a network that is ready for use.",
    "A network trained for minutes, or on synthetic people alone, is not fit for photographs.",
    "Intended for research on re-identification. Do not use it to identify or follow people "
    "without their consent and a legal basis; a similarity is not an identification.",
)

_NAMES: Mapping[str, str] = {
    "pyramid": "the attention pyramid",
    "baseline": "the network without pyramid",
    "shipped": "the shipped network",
    "histogram": "the colour histogram",
}


def first_headline(systems: Sequence[SystemResult]) -> str:
    """Says what is best before anything is trained."""
    best, *others = _by_map(systems)
    rest = ", ".join(f"{_NAMES[each.key]} {_points(each)}" for each in others)
    return _capital(f"before training, {_NAMES[best.key]} finds people best: {_map(best)} ({rest})")


def headline(systems: Sequence[SystemResult]) -> str:
    """Says which system is best, and which of the two networks that were trained alike.

    Networks whose mAPs differ by less than ``LEVEL`` are called level.

    Args:
        systems: among them ``pyramid`` and ``baseline``.
    """
    best, second = _by_map(systems)[:2]
    alike = {each.key: each for each in systems if each.key in ("pyramid", "baseline")}
    if {best.key, second.key} == set(alike):
        return _capital(f"{_duel(alike)}; both are above the other systems")
    if _close(best, second):
        lead = (
            f"{_NAMES[best.key]} and {_NAMES[second.key]} are level at the top, "
            f"{_points(best)} and {_points(second)} mAP"
        )
    else:
        lead = f"{_NAMES[best.key]} is best, {_map(best)}"
    return _capital(f"{lead}; {_duel(alike)}")


def first_summary(dataset: ReidDataset, systems: Sequence[SystemResult]) -> str:
    """Says in one paragraph what has been done so far."""
    shipped = {each.key: each for each in systems}["shipped"]
    return (
        f"The network that comes with the package, which has seen none of these people, searched "
        f"for {len(pids_of(dataset.query))} of them. It finds the right person first for "
        f"{shipped.evaluation.rank(1):.1%} of the {len(dataset.query)} queries. Two small "
        f"networks, with and without the attention pyramid, are now trained on "
        f"{len(dataset.train)} images of {len(pids_of(dataset.train))} other people."
    )


def summary(dataset: ReidDataset, systems: Sequence[SystemResult]) -> str:
    """Says in one paragraph what was done and found."""
    of = {each.key: each for each in systems}
    return (
        f"Two small networks, with and without a channel attention pyramid, learned to re-identify "
        f"people from {len(dataset.train)} images of {len(pids_of(dataset.train))} people, from "
        f"random weights and with the same steps. On {len(pids_of(dataset.query))} people they "
        f"have never seen, the pyramid finds the right person first for "
        f"{of['pyramid'].evaluation.rank(1):.1%} of the queries, the network without it for "
        f"{of['baseline'].evaluation.rank(1):.1%}, the shipped network, which was trained on other "
        f"people, for {of['shipped'].evaluation.rank(1):.1%}, and matching colours alone for "
        f"{of['histogram'].evaluation.rank(1):.1%}. The headline compares mAP."
    )


def _duel(alike: Mapping[str, SystemResult]) -> str:
    """Compares the two networks that were trained alike."""
    winner, loser = _by_map(alike.values())
    if _close(winner, loser):
        return (
            f"trained alike, the networks with and without pyramid are level, "
            f"{_points(alike['pyramid'])} and {_points(alike['baseline'])} mAP"
        )
    return (
        f"trained alike, {_NAMES[winner.key]} beats {_NAMES[loser.key]}, "
        f"{_points(winner)} to {_points(loser)} mAP"
    )


def _by_map(systems: Iterable[SystemResult]) -> list[SystemResult]:
    return sorted(systems, key=lambda each: each.evaluation.mAP, reverse=True)


def _close(better: SystemResult, worse: SystemResult) -> bool:
    return better.evaluation.mAP - worse.evaluation.mAP < LEVEL


def _points(system: SystemResult) -> str:
    return f"{100 * system.evaluation.mAP:.1f}"


def _map(system: SystemResult) -> str:
    return f"{_points(system)} mAP"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
