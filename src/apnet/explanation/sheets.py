"""The pictures of an explanation: maps per level of one image, and similarity of a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from apnet.explanation.canvas import GAP, LINE, Canvas
from apnet.explanation.colours import FULL_SCALE, heat_colours, heat_overlay, signed_overlay
from apnet.explanation.levels import relative
from apnet.explanation.match import Match

PICTURE_HEIGHT = 256
_TOP = 2 * LINE + 2 * GAP
_BANDS = 4
_BAR = 160
_KEY = (
    "times the map's own mean, on one scale for all maps: where a map is strong, not how strong",
    "x0.50: on average the level passes on half of the level before; a gate is 0 (none) to 1 (all)",
)

StageMaps = Sequence[Sequence[NDArray[np.float32]]]
"""Per stage, per level, (h, w), 0 or more."""


@dataclass(frozen=True)
class Block:
    """A group of columns on the sheet of one image.

    Attributes:
        heading: what the maps show.
        stages: one column per stage, one row per level.
        gated: whether the maps are features, of which each level passes a share on.
    """

    heading: str
    stages: StageMaps
    gated: bool = False


def upscale(image: NDArray[np.uint8]) -> Image.Image:
    """Returns (H, W, 3) RGB pixels scaled to ``PICTURE_HEIGHT`` rows, with the same aspect."""
    height, width = image.shape[:2]
    size = (max(round(PICTURE_HEIGHT * width / height), 1), PICTURE_HEIGHT)
    return Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)


def level_sheet(
    name: str, image: NDArray[np.uint8], blocks: Sequence[Block], names: Sequence[str]
) -> Image.Image:
    """Draws an image and, beside it, blocks of maps with stages in columns and levels in rows.

    Every map is divided by its own mean, and all have one linear scale, from 0 to 3 times that, so
    that levels, stages and images can be compared (ADR 75). Below each map stands the share of the
    level before that it passes on.

    Args:
        name: of the file.
        image: (H, W, 3) uint8, RGB, at the size of the network's input.
        blocks: at least one.
        names: of the stages.
    """
    photograph = upscale(image)
    wide = max(photograph.width, 96)
    columns = 1 + sum(len(block.stages) for block in blocks)
    rows = max(len(levels) for block in blocks for levels in block.stages)
    width = columns * (wide + GAP) + (len(blocks) + 1) * GAP
    cell = PICTURE_HEIGHT + LINE + GAP
    canvas = Canvas((width, _TOP + 2 * LINE + rows * cell + 2 * LINE + GAP))
    canvas.title((GAP, GAP), name)
    first = _TOP + 2 * LINE
    canvas.paste((GAP, first), photograph)
    canvas.caption((GAP, first - LINE), "input", wide)
    left = wide + 3 * GAP
    for block in blocks:
        span = len(block.stages) * (wide + GAP)
        canvas.caption((left, _TOP - LINE // 2), block.heading, span - GAP)
        for stage, levels in zip(names, block.stages, strict=True):
            canvas.caption((left, first - LINE), stage, wide)
            _draw_column(canvas, (left, first), photograph, levels, gated=block.gated)
            left += wide + GAP
        left += GAP
    _draw_scale(canvas, (wide + 3 * GAP, first + rows * cell))
    return canvas.image


def pair_sheet(
    names: tuple[str, str], images: Sequence[NDArray[np.uint8]], match: Match
) -> Image.Image:
    """Draws two images with the contribution of each of their positions to the similarity.

    Both images share one scale. Beside each band of rows stands its sum, absolute and in percent of
    the similarity; the bands add up to the similarity.

    Args:
        names: of the files.
        images: two (H, W, 3) uint8, RGB, at the size of the network's input.
        match: the similarity of these images.
    """
    photographs = [upscale(image) for image in images]
    wide = max(photographs[0].width, 96)
    beside = 120
    group = 2 * wide + beside + 3 * GAP
    canvas = Canvas((2 * group + GAP, _TOP + 2 * LINE + PICTURE_HEIGHT + 2 * LINE + 2 * GAP))
    canvas.title((GAP, GAP), f"cosine similarity {match.similarity:+.3f}")
    ceiling = max(float(np.abs(match.first).max()), float(np.abs(match.second).max()))
    top = _TOP + 2 * LINE
    for index, contributions in enumerate((match.first, match.second)):
        left = GAP + index * group
        share = contributions / ceiling if ceiling > 0 else np.zeros_like(contributions)
        canvas.caption((left, top - 2 * LINE), names[index], group - 2 * GAP)
        canvas.caption((left, top - LINE), "input", wide, faint=True)
        canvas.caption((left + wide + GAP, top - LINE), "contributions", wide, faint=True)
        canvas.paste((left, top), photographs[index])
        canvas.paste((left + wide + GAP, top), signed_overlay(photographs[index], share))
        _draw_bands(canvas, (left + 2 * wide + 2 * GAP, top), contributions, match.similarity)
    canvas.caption(
        (GAP, top + PICTURE_HEIGHT + GAP),
        f"red cells increase the similarity, blue cells decrease it; full colour is {ceiling:.3f} "
        "per cell. The cells of each image add up to the similarity.",
        canvas.image.width - 2 * GAP,
        faint=True,
    )
    return canvas.image


def _draw_column(
    canvas: Canvas,
    at: tuple[int, int],
    photograph: Image.Image,
    levels: Sequence[NDArray[np.float32]],
    *,
    gated: bool,
) -> None:
    left, top = at
    shown = relative(levels)
    for number, (strength, passed) in enumerate(zip(shown.maps, shown.passed, strict=True)):
        canvas.paste((left, top), heat_overlay(photograph, strength / FULL_SCALE))
        share = f", x{passed:.2f}" if gated and passed is not None else ""
        where = "before" if number == 0 else f"level {number}{share}"
        canvas.caption((left, top + PICTURE_HEIGHT + 1), where, photograph.width, faint=True)
        top += PICTURE_HEIGHT + LINE + GAP


def _draw_scale(canvas: Canvas, at: tuple[int, int]) -> None:
    """Draws the colours with their numbers, and what they mean."""
    left, top = at
    bar = Image.fromarray(heat_colours(np.linspace(0, 1, _BAR)[None])).resize((_BAR, LINE - 5))
    canvas.paste((left, top + 2), bar)
    for number in range(FULL_SCALE + 1):
        text = f"{number}" if number < FULL_SCALE else f"{number} or more"
        x = left + round(_BAR * number / FULL_SCALE) - 3
        canvas.caption((x, top + LINE), text, 80, faint=True)
    beside = left + _BAR + 80
    for line, text in enumerate(_KEY):
        y = top + line * LINE
        canvas.caption((beside, y), text, canvas.image.width - beside - GAP, faint=True)


def _draw_bands(
    canvas: Canvas, at: tuple[int, int], contributions: NDArray[np.float32], similarity: float
) -> None:
    """Writes the sum of each band of rows beside the picture, at the middle of the band."""
    rows = len(contributions)
    edges = np.unique(np.linspace(0, rows, _BANDS + 1).round().astype(int))
    for top, bottom in pairwise(edges):
        total = float(contributions[top:bottom].sum())
        middle = round(PICTURE_HEIGHT * (top + bottom) / (2 * rows)) - LINE // 2
        part = f" ({total / similarity:.0%})" if abs(similarity) >= 0.05 else ""
        canvas.caption((at[0], at[1] + middle), f"{total:+.3f}{part}", 120)
