"""Objects in a place, as flat upright pictures with a size: cars, trees, benches, bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from apnet.synthetic.scene.drawing import Draw, Sheet
from apnet.synthetic.scene.textures import draw_muted, draw_vivid, scaled, scaled_grey
from apnet.synthetic.scene.vehicles import bicycle, car, van

PIXELS = 160
"""Longer side of the picture of an object in pixels."""


@dataclass(frozen=True, eq=False)
class SceneObject:
    """An upright object, as a flat picture that faces the camera.

    Attributes:
        picture: RGBA image; its bottom row is on the ground.
        width: in metres.
        height: in metres.
    """

    picture: Image.Image
    width: float
    height: float


def draw_object(name: str, rng: np.random.Generator) -> SceneObject:
    """Draws an object of a kind, a key of ``OBJECTS``."""
    (wide, tall), paint = OBJECTS[name]
    wide, tall = wide * rng.uniform(0.85, 1.2), tall * rng.uniform(0.88, 1.15)
    scale = PIXELS / max(wide, tall)
    image = Image.new("RGBA", (max(2, round(wide * scale)), max(2, round(tall * scale))))
    paint(Sheet(image, ImageDraw.Draw(image), scale), rng)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return SceneObject(image, wide, tall)


def _leaves(sheet: Sheet, rng: np.random.Generator, low: float, count: int, size: float) -> None:
    wide, tall = sheet.size
    base, warm = rng.uniform(40, 90), rng.uniform(0.65, 1.05)
    for _ in range(count):
        around, away = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
        x = wide / 2 + np.cos(around) * away * (wide / 2 - size)
        middle = (low + tall) / 2
        up = middle + np.sin(around) * away * ((tall - low) / 2 - size)
        level = base * rng.uniform(0.55, 1.2) * (0.7 + 0.6 * (up - low) / (tall - low))
        leaf = size * rng.uniform(0.5, 1.1)
        sheet.oval(x - leaf, up - leaf, 2 * leaf, 2 * leaf, scaled_grey(level, (warm, 1.0, 0.5)))


def _tree(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    thick = rng.uniform(0.12, 0.3)
    sheet.tube(
        wide / 2 - thick / 2,
        0,
        thick,
        0.6 * tall,
        scaled_grey(rng.uniform(50, 100), (1.1, 1, 0.85)),
    )
    _leaves(sheet, rng, rng.uniform(0.3, 0.5) * tall, 220, 0.2)


def _bush(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    sheet.oval(0.1 * wide, 0, 0.8 * wide, 0.9 * tall, scaled_grey(45, (0.8, 1.0, 0.6)))
    _leaves(sheet, rng, 0.0, 160, 0.09)


def _bench(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    wood = scaled_grey(rng.uniform(70, 190), (1.15, 1.0, rng.uniform(0.7, 1.0)))
    for x in (0.06, 0.88):
        sheet.box(x * wide, 0, 0.05 * wide, 0.9 * tall, draw_muted(rng, 20, 70))
    sheet.box(0, 0.42 * tall, wide, 0.1 * tall, wood)
    for up in (0.6, 0.74, 0.88):
        sheet.box(0, up * tall, wide, 0.1 * tall, scaled(wood, rng.uniform(0.8, 1.0)))


def _pole(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    color = draw_muted(rng, 40, 180)
    sheet.tube(0.28 * wide, 0, 0.44 * wide, tall, color)
    sheet.tube(0.05 * wide, 0, 0.9 * wide, rng.uniform(0.05, 0.35), color)


def _pillar(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    color = draw_muted(rng, 90, 215)
    sheet.tube(0.08 * wide, 0, 0.84 * wide, tall, color)
    sheet.box(0, 0, wide, 0.3, scaled(color, 0.8))
    sheet.box(0.04 * wide, 0.3, 0.92 * wide, 0.08, scaled(color, 1.1))


def _trunk(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    bark = scaled_grey(rng.uniform(45, 110), (1.1, 1.0, 0.85))
    sheet.tube(0.1 * wide, 0, 0.8 * wide, tall, bark)
    for _ in range(60):
        x, up = rng.uniform(0.12, 0.82) * wide, rng.uniform(0, 0.95) * tall
        sheet.box(x, up, 0.05 * wide, 0.05 * tall, scaled(bark, rng.uniform(0.6, 1.15)))
    sheet.shape([(0.0, 0.0), (0.12 * wide, 0.12), (0.88 * wide, 0.12), (wide, 0.0)], bark)


def _sign(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    sheet.tube(0.46 * wide, 0, 0.08 * wide, tall, draw_muted(rng, 90, 190))
    color = draw_vivid(rng)
    sheet.box(0, tall - wide, wide, wide, (235, 235, 230))
    sheet.box(0.07 * wide, tall - 0.93 * wide, 0.86 * wide, 0.86 * wide, color)
    sheet.box(0.25 * wide, tall - 0.6 * wide, 0.5 * wide, 0.2 * wide, (235, 235, 230))


def _bin(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    color = draw_vivid(rng)
    sheet.tube(0.04 * wide, 0, 0.92 * wide, 0.88 * tall, color)
    for x in np.arange(0.1, 0.9, 0.16):
        sheet.box(x * wide, 0.1 * tall, 0.05 * wide, 0.6 * tall, scaled(color, 0.7))
    sheet.tube(0, 0.86 * tall, wide, 0.14 * tall, scaled(color, 0.5))


def _bollard(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    sheet.tube(0, 0, wide, tall, draw_muted(rng, 30, 200))
    sheet.tube(0, 0.75 * tall, wide, 0.1 * tall, draw_vivid(rng))


def _board(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    frame = scaled_grey(rng.uniform(60, 170), (1.15, 1.0, 0.75))
    sheet.box(0, 0.06 * tall, wide, 0.94 * tall, frame)
    for x in (0.04, 0.86):
        sheet.box(x * wide, 0, 0.1 * wide, 0.1 * tall, frame)
    face = draw_muted(rng, 20, 60) if rng.random() < 0.5 else draw_vivid(rng)
    sheet.box(0.08 * wide, 0.14 * tall, 0.84 * wide, 0.78 * tall, face)
    for up in np.arange(0.25, 0.85, 0.12):
        long = rng.uniform(0.2, 0.7) * wide
        sheet.box(0.15 * wide, up * tall, long, 0.04 * tall, (225, 225, 215))


def _planter(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    _leaves(sheet, rng, 0.3 * tall, 120, 0.08)
    color = draw_muted(rng, 40, 190)
    pot = [(0.2, 0.0), (0.1, 0.42), (0.9, 0.42), (0.8, 0.0)]
    sheet.shape([(x * wide, up * tall) for x, up in pot], color)
    sheet.box(0.07 * wide, 0.38 * tall, 0.86 * wide, 0.06 * tall, scaled(color, 1.2))


def _tables(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    wood, steel = scaled_grey(rng.uniform(50, 190), (1.15, 1.0, 0.75)), draw_muted(rng, 20, 120)
    sheet.box(0.3 * wide, 0.74 * tall, 0.4 * wide, 0.05 * tall, wood)
    sheet.box(0.49 * wide, 0, 0.03 * wide, 0.74 * tall, steel)
    sheet.box(0.4 * wide, 0, 0.2 * wide, 0.03 * tall, steel)
    for left, back in ((0.02, 0.02), (0.74, 0.95)):
        sheet.box(left * wide, 0.45 * tall, 0.24 * wide, 0.05 * tall, wood)
        for leg in (left, left + 0.22):
            sheet.box(leg * wide, 0, 0.02 * wide, 0.45 * tall, steel)
        sheet.box(back * wide, 0.45 * tall, 0.025 * wide, 0.5 * tall, steel)
        sheet.box((back - 0.01) * wide, 0.75 * tall, 0.05 * wide, 0.22 * tall, wood)


def _shelf(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    sheet.box(0, 0, wide, tall, draw_muted(rng, 60, 200))
    for up in np.arange(0.06, 0.9, 0.24):
        sheet.box(0.03 * wide, up * tall, 0.94 * wide, 0.2 * tall, draw_muted(rng, 25, 60))
        goods, left = draw_vivid(rng), 0.04
        while left < 0.9:
            step = rng.uniform(0.04, 0.1)
            goods = draw_vivid(rng) if rng.random() < 0.3 else goods
            high = rng.uniform(0.1, 0.18) * tall
            sheet.box(left * wide, up * tall, 0.85 * step * wide, high, goods)
            left += step


def _machine(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    color = draw_vivid(rng)
    sheet.box(0, 0, wide, tall, color)
    sheet.box(0.08 * wide, 0.3 * tall, 0.58 * wide, 0.62 * tall, draw_muted(rng, 150, 240))
    for up in (0.35, 0.5, 0.65, 0.8):
        for x in np.arange(0.1, 0.6, 0.11):
            sheet.box(x * wide, up * tall, 0.08 * wide, 0.1 * tall, draw_vivid(rng))
    sheet.box(0.72 * wide, 0.5 * tall, 0.2 * wide, 0.2 * tall, (30, 30, 34))
    sheet.box(0.1 * wide, 0.08 * tall, 0.6 * wide, 0.12 * tall, (30, 30, 34))


def _box(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    card = scaled_grey(rng.uniform(90, 170), (1.2, 1.0, 0.72))
    sheet.box(0, 0, wide, 0.6 * tall, card)
    sheet.box(0.1 * wide, 0.6 * tall, 0.7 * wide, 0.4 * tall, scaled(card, 0.85))
    sheet.box(0.45 * wide, 0, 0.08 * wide, 0.6 * tall, scaled(card, 1.2))


def _wall(sheet: Sheet, rng: np.random.Generator) -> None:
    wide, tall = sheet.size
    color = draw_muted(rng, 80, 200)
    sheet.box(0, 0, wide, tall, scaled(color, 0.75))
    step = 0.12
    for row, up in enumerate(np.arange(0, tall, step)):
        for x in np.arange(-(row % 2) * 0.15, wide, 0.3):
            shade = scaled(color, rng.uniform(0.88, 1.06))
            sheet.box(x, up, 0.28, step - 0.015, shade)
    sheet.box(0, tall - 0.06, wide, 0.06, scaled(color, 1.15))


OBJECTS: dict[str, tuple[tuple[float, float], Draw]] = {
    "car": ((4.3, 1.45), car),
    "van": ((5.0, 2.2), van),
    "tree": ((3.0, 5.0), _tree),
    "bush": ((1.6, 1.1), _bush),
    "bench": ((1.7, 0.85), _bench),
    "lamp": ((0.28, 5.0), _pole),
    "pillar": ((0.6, 3.2), _pillar),
    "trunk": ((0.5, 3.0), _trunk),
    "sign": ((0.6, 2.4), _sign),
    "bin": ((0.6, 1.0), _bin),
    "bollard": ((0.16, 0.9), _bollard),
    "board": ((0.65, 1.1), _board),
    "planter": ((0.8, 1.3), _planter),
    "tables": ((1.7, 0.95), _tables),
    "bicycle": ((1.7, 1.0), bicycle),
    "shelf": ((1.3, 1.7), _shelf),
    "machine": ((1.0, 1.9), _machine),
    "box": ((0.6, 0.7), _box),
    "wall": ((2.4, 0.85), _wall),
}
"""Width and height in metres, and the painter, of each kind of object."""
