"""Table III: what networks cost, counted as the paper counts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apnet.files import write_json, write_text
from apnet.model import PRESETS, create_network, network_cost
from apnet.progress import Progress
from apnet.reproduction.figures import require_drawing, save_figure
from apnet.reproduction.markdown import grid
from apnet.reproduction.published import TABLE_3

_SIZE = (224, 224)
_NAMES = {
    "apnet-c0": "APNet-C0",
    "apnet-c1": "APNet-C1",
    "apnet-c2": "APNet-C2",
    "apnet-c3": "APNet-C3",
    "se-resnet50": "SE-ResNet-50",
    "pyramid-reid": "Pyramid ReID",
    "scsn": "SCSN",
}
TITLE = "Table III: multiply-adds"


def cost_table(progress: Progress) -> dict[str, Any]:
    """Counts every network of Table III at 224x224 without computing anything.

    Returns:
        JSON-ready: ``rows`` with the ``paper``'s giga multiply-adds and ours: ``as_the_paper``,
        ``multiply_adds`` of convolutions and linear layers alone, and mega ``parameters``; these
        are None for a network that this installation does not have.
    """
    rows = []
    for key, name in _NAMES.items():
        rows.append({"system": key, "name": name, "paper": TABLE_3[key], **_counted(key)})
        progress(len(rows), len(_NAMES))
    return {
        "experiment": "table3",
        "title": TITLE,
        "image_size": list(_SIZE),
        "rows": rows,
        "notes": [
            "The paper writes GFLOPS and counts multiply-adds, those of batch norm and pooling "
            "included; one image, evaluation mode, stride of the last stage 1."
        ],
    }


def write_cost_table(table: Mapping[str, Any], out: Path) -> None:
    """Writes ``table.json``, ``table.md``, ``figure.png`` and ``figure.svg``.

    Raises:
        DataError: the folder is not writable.
        MissingExtraError: matplotlib is not installed.
    """
    figure = require_drawing().Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    names = [row["name"] for row in table["rows"]]
    for offset, key, label in ((-0.2, "paper", "paper"), (0.2, "as_the_paper", "counted here")):
        axes.barh(
            [place + offset for place in range(len(names))],
            [row[key] or 0 for row in table["rows"]],
            height=0.4,
            label=label,
        )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("giga multiply-adds at 224x224")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    write_json(out / "table.json", table)
    write_text(out / "table.md", format_cost_table(table))
    save_figure(figure, out)


def format_cost_table(table: Mapping[str, Any]) -> str:
    """Returns a Markdown page of what ``cost_table`` gives."""
    heads = (
        "network",
        "paper (G)",
        "as the paper counts (G)",
        "convolution, linear (G)",
        "parameters (M)",
    )
    rows = [[row["name"], f"{row['paper']:.2f}", *_cells(row)] for row in table["rows"]]
    size = "x".join(map(str, table["image_size"]))
    return "\n".join(
        [
            f"# {table['title']}\n",
            f"One image of {size}.\n",
            *grid(heads, rows),
            "",
            *(f"* {note}" for note in table["notes"]),
            "",
        ]
    )


def _counted(key: str) -> dict[str, float | None]:
    if key not in PRESETS:
        return dict.fromkeys(("as_the_paper", "multiply_adds", "parameters"))
    cost = network_cost(create_network(key, image_size=_SIZE), _SIZE)
    return {
        "as_the_paper": cost.paper_multiply_adds / 1e9,
        "multiply_adds": cost.multiply_adds / 1e9,
        "parameters": cost.parameters / 1e6,
    }


def _cells(row: Mapping[str, Any]) -> list[str]:
    if row["as_the_paper"] is None:
        return ["not available", "", ""]
    return [
        f"{row['as_the_paper']:.3f}",
        f"{row['multiply_adds']:.3f}",
        f"{row['parameters']:.3f}",
    ]
