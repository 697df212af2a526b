"""Evaluations as plain text: the metrics, then the protocol."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from apnet.results import Evaluation, ProtocolCard
from apnet.retrieval.metrics.registry import METRICS, comparison_labels


def format_evaluation(evaluation: Evaluation) -> str:
    """Returns a plain-text table: metrics in percent, the number of queries, the protocol card."""
    kind = evaluation.card.ap_metric
    rows = {"mAP": _row(evaluation.mAP, METRICS[kind].note)}
    for key, metric in METRICS.items():
        if key != kind:
            rows[metric.label] = _row(evaluation.values[key], metric.note)
    rows["queries"] = _queries(evaluation)
    return "\n".join([*_lines(rows), "", "Protocol", *_lines(_protocol(evaluation.card))]) + "\n"


def format_evaluations(evaluations: Mapping[str, Evaluation]) -> str:
    """Returns a plain-text table of several systems: metrics in percent, then the protocol.

    Protocol settings that all systems share are printed once, the others under each system's name.
    """
    if not evaluations:
        return "no evaluation\n"
    columns = comparison_labels()
    widths = {key: max(9, len(label) + 2) for key, label in columns.items()}
    indent = max(map(len, evaluations))
    heads = "".join(f"{label:>{widths[key]}}" for key, label in columns.items())
    lines = [f"{'':<{indent}}{heads}  queries"]
    for system, evaluation in evaluations.items():
        values = {"mAP": evaluation.mAP, **evaluation.values}
        cells = "".join(f"{100 * values[key]:{width}.2f}" for key, width in widths.items())
        lines.append(f"{system:<{indent}}{cells}  {_queries(evaluation)}")
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


def _row(share: float, note: str) -> str:
    percent = f"{100 * share:6.2f} %"
    return f"{percent}  ({note})" if note else percent


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
