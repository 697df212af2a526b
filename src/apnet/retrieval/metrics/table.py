"""An evaluation as text for people: the figures, then the protocol that made them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from apnet.results import Evaluation, ProtocolCard

_RANKS = (1, 5, 10)
_AP_NAMES = {"hits": "mean of the precisions at the hits", "trapezoidal": "trapezoidal rule"}


def format_evaluation(evaluation: Evaluation) -> str:
    """Returns a plain-text table: figures in percent, the count of queries, the protocol card."""
    kind = evaluation.card.ap_kind
    other = "trapezoidal" if kind == "hits" else "hits"
    second = evaluation.mAP_trapezoidal if kind == "hits" else evaluation.mAP_hits
    figures = {
        "mAP": f"{_percent(evaluation.mAP)}  ({_AP_NAMES[kind]})",
        f"mAP, {other}": f"{_percent(second)}  ({_AP_NAMES[other]})",
        "mINP": _percent(evaluation.mINP),
        **{f"rank-{k}": _percent(evaluation.rank(k)) for k in _RANKS},
        "queries": _queries(evaluation),
    }
    return "\n".join([*_lines(figures), "", "Protocol", *_lines(_protocol(evaluation.card))]) + "\n"


def format_evaluations(evaluations: Mapping[str, Evaluation]) -> str:
    """Returns a plain-text table of several systems: figures in percent, then the protocol.

    What all protocol cards agree on stands once; the rest stands under each system's name.
    """
    if not evaluations:
        return "no evaluation\n"
    names = ["mAP", *(f"rank-{k}" for k in _RANKS), "mINP"]
    width = max(map(len, evaluations))
    lines = [f"{'':<{width}}" + "".join(f"{name:>9}" for name in names) + "  queries"]
    for system, evaluation in evaluations.items():
        ranks = [evaluation.rank(k) for k in _RANKS]
        shares = "".join(
            f"{100 * share:9.2f}" for share in (evaluation.mAP, *ranks, evaluation.mINP)
        )
        lines.append(f"{system:<{width}}{shares}  {_queries(evaluation)}")
    cards = {system: _protocol(evaluation.card) for system, evaluation in evaluations.items()}
    return "\n".join([*lines, *_sections(cards)]) + "\n"


def _sections(cards: Mapping[str, Mapping[str, str]]) -> list[str]:
    shared = dict(set.intersection(*(set(card.items()) for card in cards.values())))
    first = next(iter(cards.values()))
    lines = ["", "Protocol", *_lines({name: first[name] for name in first if name in shared})]
    for system, card in cards.items():
        own = {name: value for name, value in card.items() if name not in shared}
        if own:
            lines += ["", f"Protocol, {system}", *_lines(own)]
    return lines


def _percent(share: float) -> str:
    return f"{100 * share:6.2f} %"


def _queries(evaluation: Evaluation) -> str:
    left_out = evaluation.queries - evaluation.valid_queries
    rest = f", {left_out:,} without a match left out of the means" if left_out else ""
    return f"{evaluation.queries:,}{rest}"


def _protocol(card: ProtocolCard) -> dict[str, str]:
    known = {
        field.name.replace("_", " "): getattr(card, field.name)
        for field in dataclasses.fields(card)
    }
    return {name: _plain(value) for name, value in known.items() if value not in (None, {})}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_within(entry)}" for name, entry in value.items())
    if isinstance(value, tuple):
        return " x ".join(str(entry) for entry in value)
    return str(value)


def _within(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(str(entry) for entry in value)
    return str(value)


def _lines(entries: Mapping[str, str]) -> list[str]:
    width = max(map(len, entries), default=0)
    return [f"{name:<{width}}  {value}" for name, value in entries.items()]
