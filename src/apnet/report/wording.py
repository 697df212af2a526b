"""Metrics, durations and protocols as text."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apnet.results import Evaluation, ProtocolCard

_DISTANCES = {"cosine": "by cosine distance", "euclidean": "by Euclidean distance"}
_JUNK_RULES = {
    "same-camera": "leaving out gallery images of the query’s person from the query’s camera",
    "none": "leaving out no image for its camera, as cameras are unknown",
}
_AP_KINDS = {
    "hits": "with average precision as the mean of the precisions at the hits",
    "trapezoidal": "with average precision by the trapezoidal rule",
}


def percent(share: float) -> str:
    """Returns a fraction as a percentage with one decimal, without the sign: 0.9617 -> "96.2"."""
    return f"{100 * share:.1f}"


def duration(seconds: float) -> str:
    """Returns a duration as text: "8.2 s", "12 min 5 s", "1 h 2 min"."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def shared_protocol(evaluations: Sequence[Evaluation]) -> str:
    """Returns a sentence on what the evaluations share, and one on what differs, if anything."""
    first = evaluations[0]
    differing = _differing(evaluations)
    clauses = [clause for name, clause in _clauses(first) if name not in differing]
    sentence = f"Single-query search {', '.join(clauses)}."
    if differing:
        names = ", ".join(label(name) for name in differing)
        sentence += f" The systems differ in: {names} (see the protocol cards)."
    return sentence


def card_rows(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Returns labels and values of a protocol card, nested values flattened."""
    rows = [("queries", f"{evaluation.queries}, {evaluation.valid_queries} with a match")]
    for item in dataclasses.fields(ProtocolCard):
        rows += _flat(label(item.name), getattr(evaluation.card, item.name))
    return rows


def label(name: str) -> str:
    """Returns the label of a field: "ap_kind" -> "AP kind"."""
    return name.replace("_", " ").replace("ap kind", "AP kind")


def _clauses(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    card = evaluation.card
    counts = f"over the {evaluation.valid_queries:,} of {evaluation.queries:,} queries with a match"
    if evaluation.valid_queries == evaluation.queries:
        counts = f"over all {evaluation.queries:,} queries"
    yield "distance", _DISTANCES[card.distance]
    yield "junk_rule", _JUNK_RULES[card.junk_rule]
    yield "ap_kind", _AP_KINDS[card.ap_kind]
    yield "reranking", f"re-ranked with {card.reranking}" if card.reranking else "not re-ranked"
    yield "queries", counts


def _differing(evaluations: Sequence[Evaluation]) -> list[str]:
    first = evaluations[0]
    names = [item.name for item in dataclasses.fields(ProtocolCard) if item.name != "model"]
    differing = [
        name
        for name in names
        if any(getattr(other.card, name) != getattr(first.card, name) for other in evaluations)
    ]
    counts = {(evaluation.queries, evaluation.valid_queries) for evaluation in evaluations}
    return [*differing, "queries"] if len(counts) > 1 else differing


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        nested = (_flat(f"{name}: {label(str(key))}", inner) for key, inner in value.items())
        return [row for rows in nested for row in rows]
    if name == "image size" and value is not None:
        return [(name, f"{value[0]} × {value[1]} (height × width)")]
    if isinstance(value, (list, tuple)):
        return [(name, "; ".join(map(str, value)) or "none")]
    if isinstance(value, bool):
        return [(name, "yes" if value else "no")]
    if value is None:
        return [(name, "none" if name == "reranking" else "not stated")]
    return [(name, str(value))]
