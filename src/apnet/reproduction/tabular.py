"""The tables of experiments for CSV and LaTeX, the paper's figures beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from apnet.reproduction.definitions import TWIN_FIGURES, figure_labels
from apnet.retrieval.metrics.tables import card_cells, said_of
from apnet.tables import Cell, Column, Table, fixed

Row = Mapping[str, Any]
"""A row of ``build_table`` with its ``trial``, ``train`` and ``test``."""

Filled = tuple[Column, Callable[[Row], Cell]]
"""A column, and its cell in a row."""


def experiment_table(table: Mapping[str, Any]) -> Table:
    """Returns a table with one row per trial and system.

    CSV has, for each figure, the paper's in percent (``mAP_paper_percent``), the mean and sample
    standard deviation over seeds as fractions (``mAP_mean``, ``mAP_deviation``), the mean
    difference from the row ``against`` and its p; and the protocol. LaTeX has the paper's figures
    and "mean ± deviation" in percent, with the protocol in the caption.

    Args:
        table: as ``build_table`` returns it.
    """
    rows = [
        {**row, **{key: trial[key] for key in ("trial", "train", "test")}}
        for trial in table["trials"]
        for row in trial["rows"]
    ]
    filled = list(_columns(table, rows))
    cards = {f"{row['trial']}, {row['name']}": row["protocol"] for row in rows if row["protocol"]}
    protocol, differing = said_of(cards)
    return Table(
        [column for column, _ in filled],
        [[cell(row) for _, cell in filled] for row in rows],
        f"{table['title']}; scale {table['scale']}. In percent, mean ± sample standard deviation "
        f"over seeds: {protocol or 'no run is finished'}.",
        [*differing, *table["notes"]],
    )


def cost_result_table(table: Mapping[str, Any]) -> Table:
    """Returns the table of costs, with the keys and units of its JSON form.

    Args:
        table: as ``cost_table`` returns it.
    """
    columns = (
        Column("system"),
        Column("name", "network", text=True),
        Column("paper", "paper (G)", fixed(2)),
        Column("as_the_paper", "as the paper counts (G)", fixed(3)),
        Column("multiply_adds", "convolution, linear (G)", fixed(3)),
        Column("parameters", "parameters (M)", fixed(3)),
    )
    rows = [[row[column.key] for column in columns] for row in table["rows"]]
    size = "x".join(map(str, table["image_size"]))
    return Table(columns, rows, f"{table['title']} of one image of {size}.", table["notes"])


def _columns(table: Mapping[str, Any], rows: list[dict[str, Any]]) -> Iterator[Filled]:
    labels = figure_labels()
    found = [key for key in labels if any(key in row["mean"] for row in rows)]
    yield Column("trial", "trial" if len(table["trials"]) > 1 else "", text=True), _of("trial")
    for key in ("train", "test", "system"):
        yield Column(key), _of(key)
    yield Column("name", "system", text=True), _of("name")
    for key in table["figures"]:
        column = Column(f"{key}_paper_percent", f"{labels[key]}, paper", fixed(1))
        yield column, _of("paper", key)
    for key in found:
        if key in table["figures"] or key in TWIN_FIGURES:
            yield Column("", labels[key]), partial(_spread, key)
        for part in ("mean", "deviation"):
            yield Column(f"{key}_{part}"), _of(part, key)
    yield Column("seeds", "seeds"), lambda row: len(row["seeds"])
    yield Column("against"), _of("against", "system")
    for key in found:
        for part in ("difference", "p"):
            yield Column(f"{key}_{part}"), _of("against", part, key)
    for name in card_cells({}):
        if name not in ("model", "seeds"):  # those of the single runs
            yield Column(name), partial(_protocol, name)


def _of(*keys: str) -> Callable[[Row], Cell]:
    """Returns what looks one key after another up; ``None`` from where there is nothing."""

    def cell(row: Row) -> Cell:
        value: Any = row
        for key in keys:
            value = (value or {}).get(key)
        return value  # type: ignore[no-any-return]

    return cell


def _spread(key: str, row: Row) -> Cell:
    if key not in row["mean"]:
        return None
    mean, deviation = row["mean"][key], row["deviation"][key]
    return f"{100 * mean:.1f}" + ("" if deviation is None else f" ± {100 * deviation:.1f}")


def _protocol(name: str, row: Row) -> Cell:
    return card_cells(row["protocol"])[name]
