"""Evaluations as tables for CSV and LaTeX: the metrics, their protocol, and slices."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from apnet.results import Evaluation, ProtocolCard
from apnet.retrieval.metrics.registry import METRICS, comparison_labels
from apnet.tables import Cell, Column, Table, percent

if TYPE_CHECKING:
    from apnet.retrieval.slices.breakdown import Slice

Slices = Mapping[str, Sequence["Slice"]]
"""The slices of evaluations, by the evaluation's name."""

_SLICE_COLUMNS = (Column("by", "by", text=True), Column("slice", "part", text=True))
_TWIN_COLUMNS = (Column("accuracy", "right", percent()), Column("triples", "triples"))
_CARD = tuple(field.name for field in dataclasses.fields(ProtocolCard))
_PHRASES = {
    "distance": "{} distance",
    "ap_kind": "average precision over {}",
    "junk_rule": "junk rule {}",
    "feature": "feature {}",
    "flip": "mirror image added: {}",
    "image_size": "images of {}",
    "precision": "{} arithmetic",
    "reranking": "re-ranking {}",
    "ties": "ties {}",
    "model": "model {}",
}
"""How a caption says the fields of a card."""


def evaluation_table(named: Mapping[str, Evaluation], slices: Slices | None = None) -> Table:
    """Returns a table with one row per evaluation.

    CSV has every metric of ``METRICS`` as a fraction from 0 to 1, and one column per field of the
    protocol card; fields with several values are JSON. LaTeX has the metrics that compare systems,
    in percent, and the protocol in the caption, or in notes where it differs between the rows.

    Args:
        named: evaluations by the name of their row.
        slices: parts of each, which follow as rows of their own; columns of theirs come with them.
    """
    parts = slices if slices and any(slices.values()) else {}
    columns = [
        Column("name", "system", text=True),
        *(_SLICE_COLUMNS if parts else ()),
        *_metric_columns(),
        *(_TWIN_COLUMNS if parts else ()),
        Column("queries"),
        Column("valid_queries", "queries"),
        *(Column(name) for name in _CARD),
    ]
    rows = []
    for name, evaluation in named.items():
        card = card_cells(dataclasses.asdict(evaluation.card))
        for values in _rows(evaluation, parts.get(name, ())):
            known = {"name": name, **values, **card}
            rows.append([known.get(column.key) for column in columns])
    cards = {name: dataclasses.asdict(each.card) for name, each in named.items()}
    protocol, notes = said_of(cards)
    caption = f"Single-query retrieval, metrics in percent: {protocol}."
    return Table(columns, rows, caption, notes)


def card_cells(card: Mapping[str, Any]) -> dict[str, Cell]:
    """Returns the fields of a protocol card as cells; several values in one are JSON.

    Args:
        card: as ``dataclasses.asdict`` or JSON has it; fields that are missing stay empty.
    """
    cells: dict[str, Cell] = {}
    for name in _CARD:
        value = card.get(name)
        if isinstance(value, Mapping):
            cells[name] = json.dumps(value) if value else None
        elif isinstance(value, list | tuple):
            cells[name] = "x".join(map(str, value))
        else:
            cells[name] = value
    return cells


def said_of(cards: Mapping[str, Mapping[str, Any]]) -> tuple[str, list[str]]:
    """Returns the protocol that all rows share, and a note for each row that differs in some of it.

    Args:
        cards: protocol cards by the name of their row, as ``card_cells`` takes them.
    """
    said = {name: _phrases(card) for name, card in cards.items()}
    shared = [phrase for phrase in next(iter(said.values()), []) if _in_all(phrase, said)]
    own = {name: [each for each in phrases if each not in shared] for name, phrases in said.items()}
    notes = [f"{name}: {', '.join(phrases)}." for name, phrases in own.items() if phrases]
    return ", ".join(shared), notes


def _in_all(phrase: str, said: Mapping[str, Sequence[str]]) -> bool:
    return all(phrase in phrases for phrases in said.values())


def _phrases(card: Mapping[str, Any]) -> list[str]:
    known = {name: value for name, value in card_cells(card).items() if value is not None}
    if "flip" in known:
        known["flip"] = "yes" if known["flip"] else "no"
    data = (card.get("data") or {}).get("name")
    said = [phrase.format(known[name]) for name, phrase in _PHRASES.items() if name in known]
    return [*([f"data {data}"] if data else []), *said]


def _metric_columns() -> Iterator[Column]:
    labels = comparison_labels()
    for key in ("mAP", *METRICS):
        yield Column(key, labels.get(key, ""), percent())


def _rows(evaluation: Evaluation, slices: Sequence[Slice]) -> Iterator[dict[str, Cell]]:
    yield {
        "mAP": evaluation.mAP,
        **evaluation.values,
        "queries": evaluation.queries,
        "valid_queries": evaluation.valid_queries,
    }
    for part in slices:
        yield {
            "by": part.by,
            "slice": part.name,
            **part.figures,
            "queries": part.queries,
            "valid_queries": part.queries,
        }
