"""Breakdowns as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from apnet.retrieval.metrics.registry import METRICS
from apnet.retrieval.slices.breakdown import Slice

_TITLES = {
    "view": "view of the matches",
    "clothes": "clothes of the matches",
    "occlusion": "occlusion of the query",
    "pixels": "height of the query, pixels",
    "light": "light of the query",
    "twins": "twins",
}
_HEADS = {"mAP": "mAP", "accuracy": "right", "triples": "triples"}


def format_breakdown(slices: Sequence[Slice]) -> str:
    """Returns a plain-text table: one block per kind of slice, values in percent.

    The text is empty where there is no slice.
    """
    if not slices:
        return ""
    width = max(len(part.name) for part in slices) + 2
    lines = ["Broken down"]
    for by, group in groupby(slices, key=lambda part: part.by):
        lines += _block(_TITLES.get(by, by), list(group), max(width, 28))
    return "\n".join(lines) + "\n"


def _block(title: str, slices: Sequence[Slice], width: int) -> Iterator[str]:
    names = list(slices[0].figures)
    heads = {name: _head(name) for name in names}
    widths = {name: max(9, len(head) + 2) for name, head in heads.items()}
    yield (f"{title:<{width}}" + "".join(f"{heads[n]:>{widths[n]}}" for n in names) + "  queries")
    for part in slices:
        cells = "".join(f"{_cell(name, part.figures[name]):>{widths[name]}}" for name in names)
        yield f"  {part.name:<{width - 2}}{cells}{part.queries:9,}"


def _head(name: str) -> str:
    return METRICS[name].label if name in METRICS else _HEADS[name]


def _cell(name: str, value: float) -> str:
    return f"{value:,}" if name == "triples" else f"{100 * value:.2f}"
