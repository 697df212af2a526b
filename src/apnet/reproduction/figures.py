"""An experiment's figure: mAP and rank-1 by system, or over the radix (Fig. 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apnet.extras import require
from apnet.files import atomic_write
from apnet.reproduction.definitions import figure_labels

_COLOURS = {"mAP": "#b2182b", "rank1": "#2166ac"}
_MARKERS = {"mAP": "o", "rank1": "s"}
_FORMATS = ("png", "svg")


def require_drawing() -> Any:
    """Imports what draws.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    return require("matplotlib.figure", "report")


def draw_figure(table: Mapping[str, Any], out: Path) -> None:
    """Writes ``figure.png`` and ``figure.svg``: a panel for each trial, the paper's marks hollow.

    The paper's figures are drawn at full scale only, for at others they cannot be compared.

    Raises:
        MissingExtraError: matplotlib is not installed.
        DataError: the folder is not writable.
    """
    trials = table["trials"]
    rows = len(trials[0]["rows"])
    figure = require_drawing().Figure(
        figsize=(1 + 4.2 * len(trials), 1.6 + 0.34 * rows), layout="constrained"
    )
    panels = figure.subplots(1, len(trials), sharey=True, squeeze=False)[0]
    for axes, trial in zip(panels, trials, strict=True):
        _panel(axes, trial, with_paper=table["scale"] == "full")
    handles, labels = panels[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(table["title"], fontsize=11)
    save_figure(figure, out)


def save_figure(figure: Any, out: Path) -> None:
    """Writes a drawing as ``figure.png`` and ``figure.svg``; the same drawing gives the same bytes.

    Raises:
        DataError: the folder is not writable.
    """
    matplotlib = require("matplotlib", "report")
    for kind in _FORMATS:
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        with (
            atomic_write(out / f"figure.{kind}") as part,
            matplotlib.rc_context({"svg.hashsalt": "apnet"}),
        ):
            figure.savefig(part, format=kind, dpi=150, metadata=metadata)


def _panel(axes: Any, trial: Mapping[str, Any], *, with_paper: bool) -> None:
    rows = trial["rows"]
    for figure, colour in _COLOURS.items():
        ours = [(i, row) for i, row in enumerate(rows) if figure in row["mean"]]
        if ours:
            axes.errorbar(
                [100 * row["mean"][figure] for _, row in ours],
                [i for i, _ in ours],
                xerr=[100 * (row["deviation"][figure] or 0) for _, row in ours],
                fmt=_MARKERS[figure],
                color=colour,
                capsize=3,
                label=figure_labels()[figure],
            )
        if with_paper:
            _paper(axes, rows, figure, colour)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_title(f"{trial['train']} → {trial['test']}", fontsize=9)
    axes.set_xlabel("%, mean ± standard deviation over seeds")
    axes.grid(axis="both", linewidth=0.4)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _paper(axes: Any, rows: Sequence[Mapping[str, Any]], figure: str, colour: str) -> None:
    printed = [(i, row["paper"][figure]) for i, row in enumerate(rows) if figure in row["paper"]]
    if printed:
        axes.plot(
            [value for _, value in printed],
            [i for i, _ in printed],
            linestyle="none",
            marker=_MARKERS[figure],
            markerfacecolor="none",
            markeredgecolor=colour,
            label=f"{figure_labels()[figure]}, paper",
        )
