"""Images of the front behind people: house facades, hedges, fences, shelves, panels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from apnet.synthetic.scene.textures import (
    METRE,
    SPAN,
    TEXELS,
    draw_muted,
    draw_vivid,
    filled,
    scaled,
    scaled_grey,
)

Front = Callable[[np.random.Generator], Image.Image]


def facade(rng: np.random.Generator) -> Image.Image:
    """Paints a house: courses, windows, doors, shop signs; the last row is at the ground."""
    base = draw_vivid(rng) if rng.random() < 0.3 else draw_muted(rng, 80, 200)
    image = filled(base)
    draw = ImageDraw.Draw(image)
    if rng.random() < 0.5:
        for course in range(0, TEXELS, int(rng.choice([5, 8, 14, 24]))):
            draw.line([(0, course), (TEXELS, course)], fill=scaled(base, 0.85))
    period = SPAN / int(rng.integers(3, 9))
    for floor in range(4):
        _floor(rng, draw, floor, period)
    if rng.random() < 0.6:
        top = TEXELS - 3.3 * METRE
        for left in np.arange(0, TEXELS, period * METRE * 2):
            wide = rng.uniform(0.8, 1.9) * period * METRE
            draw.rectangle([left, top, left + wide, top + 0.6 * METRE], fill=draw_vivid(rng))
            _lettering(rng, draw, (left + 4, top + 0.15 * METRE), wide - 8)
    draw.rectangle([0, TEXELS - 0.4 * METRE, TEXELS, TEXELS], fill=scaled(base, 0.65))
    return image


def _floor(rng: np.random.Generator, draw: ImageDraw.ImageDraw, floor: int, period: float) -> None:
    share, frame = rng.uniform(0.35, 0.8), draw_muted(rng, 40, 225)
    foot = TEXELS - floor * 3.3 * METRE
    sill = foot - (float(rng.choice([0.05, 0.9])) if floor == 0 else 0.9) * METRE
    for place in np.arange(0, SPAN, period):
        glass = draw_muted(rng, 25, 110)
        left, right = place * METRE, (place + period * share) * METRE
        top = foot - 2.5 * METRE
        if floor == 0 and rng.random() < 0.25:
            box = [left, top, left + 1.1 * METRE, foot]
            draw.rectangle(box, fill=draw_vivid(rng), outline=frame, width=3)
            continue
        draw.rectangle([left, top, right, sill], fill=glass, outline=frame, width=3)
        shine = left + (right - left) * rng.uniform(0.1, 0.6)
        corners = [
            (shine, top + 3),
            (shine + 14, top + 3),
            (shine, sill - 3),
            (shine - 14, sill - 3),
        ]
        draw.polygon(corners, fill=scaled(glass, 1.4))
        middle = (left + right) / 2
        draw.line([(middle, top), (middle, sill)], fill=frame, width=2)


def _lettering(
    rng: np.random.Generator, draw: ImageDraw.ImageDraw, corner: tuple[float, float], wide: float
) -> None:
    color = (235, 235, 228) if rng.random() < 0.6 else (25, 25, 30)
    for left in np.arange(0, wide - 8, 9):
        if rng.random() < 0.8:
            x, y = corner[0] + left, corner[1]
            draw.rectangle([x, y, x + rng.uniform(3, 7), y + 0.3 * METRE], fill=color)


def hedge(rng: np.random.Generator) -> Image.Image:
    """Paints a hedge in front of trees."""
    image = filled(scaled_grey(rng.uniform(110, 190), (0.95, 1.0, 1.02)))
    draw = ImageDraw.Draw(image)
    base = rng.uniform(35, 75)
    for _ in range(700):
        x, y = rng.uniform(0, TEXELS), TEXELS - abs(rng.normal(0, 4.5)) * METRE
        size = rng.uniform(4, 26)
        leaf = scaled_grey(base * rng.uniform(0.6, 1.5), (rng.uniform(0.7, 0.95), 1.0, 0.55))
        draw.ellipse([x - size, y - size, x + size, y + size], fill=leaf)
    for _ in range(int(rng.integers(2, 8))):
        x, half = rng.uniform(0, TEXELS), rng.uniform(2, 8)
        trunk = draw_muted(rng, 35, 80)
        draw.rectangle([x - half, TEXELS - 5 * METRE, x + half, TEXELS], fill=trunk)
    return image


def fence(rng: np.random.Generator) -> Image.Image:
    """Paints bars or boards in front of a distant background."""
    far = scaled_grey(rng.uniform(80, 160), (rng.uniform(0.8, 1), 1.0, rng.uniform(0.7, 1)))
    image = filled(far)
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = rng.uniform(0, TEXELS), TEXELS - rng.uniform(0, 5) * METRE
        wide, tall = rng.uniform(10, 80, 2)
        draw.rectangle([x, y, x + wide, y + tall], fill=scaled(far, rng.uniform(0.5, 1.3)))
    bar, tall = draw_muted(rng, 30, 220), rng.uniform(1, 2.6) * METRE
    step = int(rng.choice([5, 8, 16]))
    thick = step - 1 if rng.random() < 0.3 else max(1, step // 4)
    for left in range(0, TEXELS, step):
        color = scaled(bar, rng.uniform(0.85, 1.1))
        draw.rectangle([left, TEXELS - tall, left + thick, TEXELS], fill=color)
    for up in (0.15, 0.95):
        y = TEXELS - tall * up
        draw.rectangle([0, y - 2, TEXELS, y + 1], fill=bar)
    return image


def shelves(rng: np.random.Generator) -> Image.Image:
    """Paints the shelves of a shop with coloured goods, below strip lights."""
    image = filled(draw_muted(rng, 120, 220))
    draw = ImageDraw.Draw(image)
    board = draw_muted(rng, 120, 220)
    step = rng.uniform(0.35, 0.55) * METRE
    for foot in np.arange(TEXELS, TEXELS - 2.2 * METRE, -step):
        draw.rectangle([0, foot - step, TEXELS, foot], fill=scaled(board, 0.4))
        left = 0.0
        while left < TEXELS:
            run, wide, goods = rng.integers(2, 7), rng.uniform(4, 12), draw_vivid(rng)
            tall = rng.uniform(0.4, 0.85) * step
            for _ in range(run):
                draw.rectangle([left, foot - tall, left + wide - 1, foot], fill=goods)
                left += wide
        draw.rectangle([0, foot - 2, TEXELS, foot], fill=board)
    _strips(draw)
    return image


def panels(rng: np.random.Generator) -> Image.Image:
    """Paints the wall of a corridor: panels, doors, posters, a skirting board, strip lights."""
    base = draw_muted(rng, 120, 220)
    image = filled(base)
    draw = ImageDraw.Draw(image)
    low = draw_vivid(rng) if rng.random() < 0.5 else scaled(base, 0.8)
    draw.rectangle([0, TEXELS - 1.1 * METRE, TEXELS, TEXELS], fill=low)
    left = 0.0
    while left < TEXELS:
        draw.line([(left, 0), (left, TEXELS)], fill=scaled(base, 0.8), width=2)
        kind = rng.random()
        if kind < 0.4:
            box = [left + 6, TEXELS - 2.1 * METRE, left + 6 + 0.95 * METRE, TEXELS]
            draw.rectangle(box, fill=draw_vivid(rng), outline=scaled(base, 0.5), width=3)
        elif kind < 0.75:
            top = TEXELS - rng.uniform(1.6, 2.3) * METRE
            right = left + 6 + rng.uniform(0.4, 1.4) * METRE
            draw.rectangle(
                [left + 6, top, right, top + rng.uniform(0.5, 1) * METRE], fill=draw_vivid(rng)
            )
        left += rng.uniform(1.1, 3.2) * METRE
    draw.rectangle([0, TEXELS - 0.12 * METRE, TEXELS, TEXELS], fill=scaled(base, 0.45))
    _strips(draw)
    return image


def _strips(draw: ImageDraw.ImageDraw) -> None:
    for left in range(0, TEXELS, 96):
        box = [left, TEXELS - 3.0 * METRE, left + 48, TEXELS - 2.88 * METRE]
        draw.rectangle(box, fill=(250, 250, 245))
