"""A breakdown as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from apnet.retrieval.metrics.breakdown import Slice

_TITLES = {
    "view": "view of the matches",
    "clothes": "clothes of the matches",
    "occlusion": "occlusion of the query",
    "pixels": "height of the query, pixels",
    "light": "light of the query",
    "twins": "twins",
}


def format_breakdown(slices: Sequence[Slice]) -> str:
    """Returns a plain-text table: a title for each kind of slice, figures in percent.

    Without slices the text is empty.
    """
    if not slices:
        return ""
    width = max(len(part.name) for part in slices) + 2
    lines = ["Broken down"]
    for by, parts in groupby(slices, key=lambda part: part.by):
        lines += _block(_TITLES.get(by, by), list(parts), max(width, 28))
    return "\n".join(lines) + "\n"


def _block(title: str, parts: Sequence[Slice], width: int) -> Iterable[str]:
    names = list(parts[0].figures)
    yield f"{title:<{width}}" + "".join(f"{_HEADS[name]:>9}" for name in names) + "  queries"
    for part in parts:
        cells = "".join(f"{_cell(name, part.figures[name]):>9}" for name in names)
        yield f"  {part.name:<{width - 2}}{cells}{part.queries:9,}"


_HEADS = {"mAP": "mAP", "rank1": "rank-1", "accuracy": "right", "triples": "triples"}


def _cell(name: str, value: float) -> str:
    return f"{value:,}" if name == "triples" else f"{100 * value:.2f}"
