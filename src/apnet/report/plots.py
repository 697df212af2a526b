"""Curves as inline SVG that use the colours and fonts of the page in both themes.

Matplotlib draws with placeholder colours, which are then replaced by CSS variables. The legend is
HTML, so that no text of the user passes through the drawing library.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from apnet.extras import require
from apnet.report.content import SystemResult, TrainingCurve

_INK, _RULE = "#b00000", "#c00000"
_MOST_RANKS = 20
_MOST_POINTS = 300


@dataclass(frozen=True)
class LineStyle:
    """Line style of one system; the six styles differ in dashes and marker too.

    Attributes:
        colour: CSS value of the line's colour.
        stand_in: the placeholder colour that matplotlib draws.
        dashes: lengths of strokes and gaps in points; empty for a solid line.
        marker: matplotlib's marker symbol.
        outline: the same marker as SVG path data around the origin.
    """

    colour: str
    stand_in: str
    dashes: tuple[float, ...]
    marker: str
    outline: str


_SHAPES: tuple[tuple[tuple[float, ...], str, str], ...] = (
    ((), "o", "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z"),
    ((5, 2), "s", "M-2.7-2.7h5.4v5.4h-5.4z"),
    ((1.5, 1.5), "^", "M0-3.2l3.2 6h-6.4z"),
    ((7, 2, 1.5, 2), "D", "M0-3.4l3.4 3.4l-3.4 3.4l-3.4-3.4z"),
    ((3, 1), "v", "M0 3.2l3.2-6h-6.4z"),
    ((7, 1.5), "P", "M-1-3h2v2h2v2h-2v2h-2v-2h-2v-2h2z"),
)

LINE_STYLES = tuple(
    LineStyle(f"var(--line-{i})", f"#a0000{i}", dashes, marker, outline)
    for i, (dashes, marker, outline) in enumerate(_SHAPES)
)
"""The page's CSS defines ``--line-0`` to ``--line-5`` for each theme."""


def styles_of(names: Iterable[str]) -> dict[str, LineStyle]:
    """Returns a line style per distinct name, in order of appearance; after six they repeat."""
    distinct = dict.fromkeys(names)
    return {name: LINE_STYLES[i % len(LINE_STYLES)] for i, name in enumerate(distinct)}


def cmc_svg(systems: Sequence[SystemResult], styles: Mapping[str, LineStyle]) -> str:
    """Returns the CMC curves of all systems up to rank 20, with markers at ranks 1, 5, 10 and 20.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    ranks = np.arange(1, 1 + min(_MOST_RANKS, max(len(it.evaluation.cmc) for it in systems)))
    marked = [int(rank) - 1 for rank in ranks if rank in (1, 5, 10, 20)]
    figure, (axes,) = _panels(1)
    lowest = 1.0
    for system in systems:
        shares = np.array([system.evaluation.rank(int(rank)) for rank in ranks])
        _line(axes, styles[system.name], ranks, 100 * shares, marked)
        lowest = min(lowest, shares[0])
    axes.set_ylim(max(0.0, 10 * np.floor(10 * lowest - 0.5)), 101)
    axes.set_xlim(0.5, len(ranks) + 0.5)
    axes.set_xticks([1, *(rank for rank in (5, 10, 15, 20) if rank <= len(ranks))])
    axes.set_xlabel("rank k")
    axes.set_ylabel("matched within the first k (%)")
    return _svg(figure, "cmc")


def training_svg(curves: Sequence[TrainingCurve], styles: Mapping[str, LineStyle]) -> str:
    """Returns the curves of the loss and, if there are evaluations, of mAP over the epochs.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    evaluated = any(curve.mAP for curve in curves)
    figure, panels = _panels(2 if evaluated else 1)
    for curve in curves:
        style = styles[curve.name]
        epochs, loss = block_means(curve.epochs), block_means(curve.loss)
        _line(panels[0], style, epochs, loss, [0, len(loss) - 1])
        if curve.mAP:
            positions, shares = np.array(curve.mAP).T  # (evaluations, 2) -> two (evaluations,)
            _line(panels[1], style, positions, 100 * shares, list(range(len(shares))))
    panels[0].set_ylabel("loss")
    panels[0].set_ylim(bottom=0)
    if evaluated:
        panels[1].set_ylabel("mAP (%)")
        panels[1].set_ylim(bottom=0)
    panels[-1].set_xlabel("epoch")
    return _svg(figure, "training")


def rates_svg(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    prefix: str,
    labels: tuple[str, str],
    logarithmic: tuple[bool, bool] = (False, False),
) -> str:
    """Returns curves of one plot.

    Args:
        curves: x and y by name; at most six.
        prefix: of the ids in the SVG, its own on the page.
        labels: of the x and the y axis.
        logarithmic: whether the x and the y axis are; only values above 0 are drawn then.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    styles = styles_of(curves)
    figure, (axes,) = _panels(1)
    for name, (x, y) in curves.items():
        across, up = np.asarray(x, np.float64), np.asarray(y, np.float64)
        shown = ((across > 0) | (not logarithmic[0])) & ((up > 0) | (not logarithmic[1]))
        _line(axes, styles[name], across[shown], up[shown], [])
    for axis, label, is_log in zip(("x", "y"), labels, logarithmic, strict=True):
        getattr(axes, f"set_{axis}label")(label)
        if is_log:
            getattr(axes, f"set_{axis}scale")("log")
    return _svg(figure, prefix)


def block_means(values: ArrayLike) -> NDArray[np.float64]:
    """Returns at most 300 values: means of consecutive, equally long blocks (the last is shorter).

    Args:
        values: (N,) with N >= 1.
    """
    series = np.asarray(values, dtype=np.float64)
    block = -(-len(series) // _MOST_POINTS)
    starts = np.arange(0, len(series), block)
    lengths = np.diff(starts, append=len(series))
    means: NDArray[np.float64] = np.add.reduceat(series, starts) / lengths
    return means


def _panels(count: int) -> tuple[Any, Sequence[Any]]:
    figures = require("matplotlib.figure", "report")
    figure = figures.Figure(figsize=(6.0, 3.9), layout="constrained")
    grid = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]  # (count, 1) -> (count,)
    for axes in grid:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(_RULE)
        axes.grid(axis="y", color=_RULE, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.tick_params(color=_RULE, labelcolor=_INK, labelsize=11)
        axes.xaxis.label.set(color=_INK, size=11)
        axes.yaxis.label.set(color=_INK, size=11)
    return figure, grid


def _line(axes: Any, style: LineStyle, x: ArrayLike, y: ArrayLike, marked: list[int]) -> None:
    axes.plot(
        x,
        y,
        color=style.stand_in,
        linewidth=1.6,
        linestyle=(0, style.dashes) if style.dashes else "-",
        marker=style.marker,
        markersize=5,
        markevery=marked,
    )


def _svg(figure: Any, prefix: str) -> str:
    """Returns the bare ``<svg>`` element with CSS colours; its ids start with ``prefix``."""
    matplotlib = require("matplotlib", "report")
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    for pattern, replacement in _substitutions(prefix):
        text = re.sub(pattern, replacement, text)
    return text


def _substitutions(prefix: str) -> Iterator[tuple[str, str]]:
    yield r"(?s)^.*?<svg", "<svg"  # the XML prologue names a DTD on the web
    yield r' xmlns(:\w+)?="[^"]*"', ""  # HTML knows the namespaces of inline SVG
    yield r'(<svg[^>]*?) height="[^"]*"', r"\1"  # the page sets the size
    yield r'(<svg[^>]*?) width="[^"]*"', r"\1"
    yield r'\b(id="|href="#|url\(#)', rf"\g<1>{prefix}-"
    for style in LINE_STYLES:
        yield style.stand_in, style.colour
    yield _INK, "var(--ink)"
    yield _RULE, "var(--rule)"
