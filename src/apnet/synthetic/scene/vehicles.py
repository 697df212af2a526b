"""Painters of cars, vans and bicycles, seen from the side."""

from __future__ import annotations

import numpy as np

from apnet.synthetic.scene.drawing import Sheet
from apnet.synthetic.scene.textures import draw_muted, draw_vivid, scaled


def car(sheet: Sheet, rng: np.random.Generator) -> None:
    """Paints a car that faces left."""
    wide, tall = sheet.size
    paint = draw_vivid(rng) if rng.random() < 0.5 else draw_muted(rng, 20, 230)
    glass = draw_muted(rng, 20, 60)
    low, belt = 0.17 * tall, 0.6 * tall
    nose, tail = rng.uniform(0.2, 0.3) * wide, rng.uniform(0.04, 0.2) * wide
    roof = [(nose * 0.8, belt), (nose * 1.6, tall), (wide - tail * 1.6, tall), (wide - tail, belt)]
    sheet.shape(roof, paint)
    sheet.shape([(x * 0.92 + 0.04 * wide, belt + (up - belt) * 0.85) for x, up in roof], glass)
    sheet.box(0.5 * wide, belt, 0.03 * wide, tall - belt, paint)
    body = [(0.0, low), (0.02 * wide, belt * 0.9), (nose, belt), (wide, belt), (wide, low)]
    sheet.shape(body, paint)
    sheet.box(0, low, wide, 0.12 * tall, scaled(paint, 0.6))
    for x in (0.32, 0.52, 0.74):
        sheet.box(x * wide, low, 0.008 * wide, belt - low, scaled(paint, 0.6))
    sheet.box(0.01 * wide, belt * 0.7, 0.05 * wide, 0.1 * tall, (230, 228, 205))
    sheet.box(0.97 * wide, belt * 0.7, 0.03 * wide, 0.1 * tall, (170, 30, 25))
    for x in (0.19, 0.81):
        sheet.oval((x - 0.08) * wide, 0, 0.16 * wide, 0.16 * wide, (22, 22, 24))
        sheet.oval((x - 0.045) * wide, 0.035 * wide, 0.09 * wide, 0.09 * wide, (140, 140, 145))


def van(sheet: Sheet, rng: np.random.Generator) -> None:
    """Paints a van."""
    wide, tall = sheet.size
    paint = draw_vivid(rng) if rng.random() < 0.4 else draw_muted(rng, 140, 235)
    body = [(0.0, 0.12), (0.02, 0.5), (0.16, 0.95), (0.2, 1.0), (1.0, 1.0), (1.0, 0.12)]
    sheet.shape([(x * wide, up * tall) for x, up in body], paint)
    windows = [(0.05, 0.52), (0.16, 0.88), (0.33, 0.88), (0.33, 0.52)]
    sheet.shape([(x * wide, up * tall) for x, up in windows], draw_muted(rng, 20, 60))
    sheet.box(0.42 * wide, 0.45 * tall, 0.5 * wide, 0.18 * tall, draw_vivid(rng))
    sheet.box(0.38 * wide, 0.12 * tall, 0.006 * wide, 0.85 * tall, scaled(paint, 0.6))
    for x in (0.18, 0.82):
        sheet.oval((x - 0.07) * wide, 0, 0.14 * wide, 0.14 * wide, (22, 22, 24))


def bicycle(sheet: Sheet, rng: np.random.Generator) -> None:
    """Paints a bicycle."""
    wide, tall = sheet.size
    frame, tyre = draw_vivid(rng), (25, 25, 27)
    scale, foot = sheet.scale, sheet.image.height
    size = 0.62 * tall
    for x in (0.0, wide - size):
        ring = [x * scale, foot - size * scale, (x + size) * scale, foot]
        sheet.draw.ellipse(ring, outline=tyre, width=max(2, round(0.04 * scale)))
    hubs = [(size / 2, size / 2), (0.42 * wide, 0.3 * tall), (0.68 * wide, 0.82 * tall)]
    joints = [*hubs, (0.3 * wide, 0.85 * tall), (0.42 * wide, 0.3 * tall)]
    line = [(x * scale, foot - up * scale) for x, up in [*joints, hubs[0]]]
    sheet.draw.line(line, fill=frame, width=max(2, round(0.05 * scale)))
    fork = [(0.68 * wide, 0.95 * tall), (wide - size / 2, size / 2)]
    sheet.draw.line(
        [(x * scale, foot - up * scale) for x, up in fork],
        fill=frame,
        width=max(2, round(0.05 * scale)),
    )
    sheet.box(0.24 * wide, 0.88 * tall, 0.14 * wide, 0.06 * tall, tyre)
