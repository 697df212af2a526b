"""Fig. 6: where a trained network looks after each level of its pyramids."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from apnet.checkpoints import Checkpoint, load_checkpoint
from apnet.data import EvaluationTransform, read_image
from apnet.explanation import explain, grad_cams, top_class
from apnet.explanation.colours import heat_overlay
from apnet.explanation.levels import Maps
from apnet.reproduction.figures import require_drawing, save_figure
from apnet.reproduction.planning import Plan
from apnet.reproduction.running import RunOptions
from apnet.types import ImageRecord, ReidDataset

_DRAWN = 6
"""Images in the figure."""
_MEASURED = 64
"""Images over which areas are averaged."""
_BATCH = 8


def draw_levels(
    plan: Plan, datasets: Mapping[str, ReidDataset], out: Path, options: RunOptions
) -> dict[str, Any]:
    """Draws Grad-CAM after each level for query images, and measures how concentrated it is.

    Writes ``pictures/NAME.explained.png`` (all stages and levels) and, as the paper arranges it,
    ``figure.png`` and ``.svg``: image, then each level of the last stage; all of the first run.

    Args:
        plan: of Fig. 6.
        datasets: by name.
        out: the experiment's folder, its runs finished.
        options: device.

    Returns:
        ``images`` measured in each run, and ``area``: for each run, by stage and level (the first
        is before the pyramid), the mean over the images of ``effective_area``.

    Raises:
        ImageError: an image cannot be read.
        DataError: the folder is not writable.
    """
    query = datasets[plan.runs[0].tests[0]].query
    checkpoints = [load_checkpoint(out / "runs" / run.name) for run in plan.runs]
    for checkpoint in checkpoints:
        checkpoint.network.to(options.device)
    chosen = evenly(query, _DRAWN)
    files = [record.path for record in chosen]
    first = checkpoints[0]
    explain(first, files, out=out / "pictures")
    _draw(first, chosen, out)
    measured = evenly(query, _MEASURED)
    with options.stage("Grad-CAM") as progress:
        areas = []
        for checkpoint in checkpoints:
            areas.append(_areas(checkpoint, measured))
            progress(len(areas), len(checkpoints))
    return {"images": len(measured), "area": areas}


def effective_area(cam: NDArray[np.float32]) -> float | None:
    """Returns the share of a map's positions over which its mass is spread, 1/(h*w) to 1.

    It is the perplexity of the map as a distribution over its positions, divided by their number:
    1 for an even map, 1/(h*w) for all mass in one position.

    Args:
        cam: (h, w), not negative; None is returned for a map of zeros.
    """
    mass = cam.astype(np.float64).ravel()
    if not mass.any():
        return None
    shares = mass[mass > 0] / mass.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()) / len(mass))


def evenly(records: Sequence[ImageRecord], count: int) -> list[ImageRecord]:
    """Returns at most ``count`` records, spread evenly over the sequence."""
    places = np.unique(np.linspace(0, len(records) - 1, count).round().astype(int))
    return [records[place] for place in places.tolist()]


def _areas(checkpoint: Checkpoint, records: Sequence[ImageRecord]) -> list[list[float | None]]:
    """Returns mean areas by stage and level, over the images whose map is not all zeros."""
    batches = [
        _cams(checkpoint, records[start : start + _BATCH])
        for start in range(0, len(records), _BATCH)
    ]
    stages = range(len(batches[0]))
    return [
        [
            _mean([effective_area(cam) for maps in batches for cam in maps[stage][level]])
            for level in range(len(batches[0][stage]))
        ]
        for stage in stages
    ]


def _mean(areas: Sequence[float | None]) -> float | None:
    known = [area for area in areas if area is not None]
    return statistics.mean(known) if known else None


def _cams(checkpoint: Checkpoint, records: Sequence[ImageRecord]) -> Maps:
    transform = EvaluationTransform(checkpoint.config.image_size)
    images = torch.stack([transform(read_image(record.path)) for record in records])
    device = next(checkpoint.network.parameters()).device
    return grad_cams(checkpoint.network, images.to(device), top_class)


def _draw(checkpoint: Checkpoint, records: Sequence[ImageRecord], out: Path) -> None:
    """Draws a row for each image: the image, then Grad-CAM before and after each level."""
    last = _cams(checkpoint, records)[-1]
    figure = require_drawing().Figure(
        figsize=(1.1 * (len(last) + 1), 2.1 * len(records)), layout="constrained"
    )
    grid = figure.subplots(len(records), len(last) + 1, squeeze=False)
    for row, record in enumerate(records):
        picture = Image.fromarray(read_image(record.path).permute(1, 2, 0).numpy())
        ceiling = max(float(level[row].max()) for level in last) or 1.0
        overlays = [heat_overlay(picture, level[row] / ceiling) for level in last]
        for axes, shown in zip(grid[row], (picture, *overlays), strict=True):
            axes.imshow(shown)
            axes.set_axis_off()
    heads = ["image", "before", *(f"level {level}" for level in range(1, len(last)))]
    for axes, head in zip(grid[0], heads, strict=True):
        axes.set_title(head, fontsize=8)
    save_figure(figure, out)
