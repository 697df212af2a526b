"""Kinds of places: materials of the ground, markings, objects, and the front behind people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from apnet.synthetic.scene import fronts
from apnet.synthetic.scene.textures import (
    MATERIALS,
    METRE,
    TEXELS,
    Texture,
    add_grain,
    draw_muted,
    filled,
)

WHITE = (214, 214, 206)


@dataclass(frozen=True)
class Place:
    """What a kind of place consists of."""

    floors: tuple[str, ...]
    """Materials that people walk on."""
    beside: tuple[str, ...]
    """Materials of the strip behind people; empty: no strip."""
    marks: tuple[str, ...]
    """Names of markings on the strip, or on the floor if there is no strip."""
    fronts: tuple[fronts.Front, ...]
    """Painters of the front: the vertical plane behind people."""
    wall: tuple[float, float]
    """Smallest and largest distance of the front in metres."""
    objects: tuple[str, ...]
    """Names of objects, keys of ``OBJECTS``."""
    indoor: bool = False


PLACES: dict[str, Place] = {
    "street": Place(
        floors=("slabs", "asphalt", "flagstones"),
        beside=("asphalt",),
        marks=("lane", "zebra", "none"),
        fronts=(fronts.facade, fronts.facade, fronts.fence),
        wall=(6, 14),
        objects=("car", "van", "lamp", "bin", "tree", "sign", "bollard", "bicycle"),
    ),
    "plaza": Place(
        floors=("flagstones", "slabs"),
        beside=("slabs", "flagstones", "grass"),
        marks=("none",),
        fronts=(fronts.facade, fronts.hedge),
        wall=(4, 14),
        objects=("tables", "bench", "planter", "lamp", "tree", "board", "bin", "pillar"),
    ),
    "campus": Place(
        floors=("slabs", "asphalt", "flagstones"),
        beside=("grass",),
        marks=("none",),
        fronts=(fronts.hedge, fronts.facade, fronts.fence),
        wall=(6, 15),
        objects=("tree", "tree", "bush", "bench", "bicycle", "lamp", "sign", "bin"),
    ),
    "crossing": Place(
        floors=("asphalt", "flagstones"),
        beside=("asphalt",),
        marks=("zebra",),
        fronts=(fronts.facade, fronts.hedge),
        wall=(8, 15),
        objects=("car", "car", "van", "lamp", "sign", "tree", "bollard"),
    ),
    "car park": Place(
        floors=("asphalt",),
        beside=(),
        marks=("bays",),
        fronts=(fronts.fence, fronts.facade, fronts.hedge),
        wall=(6, 14),
        objects=("car", "car", "car", "van", "lamp", "bush", "sign"),
    ),
    "front": Place(
        floors=("slabs", "asphalt", "flagstones"),
        beside=(),
        marks=("none",),
        fronts=(fronts.facade,),
        wall=(1.6, 4.5),
        objects=("board", "tables", "planter", "bin", "bicycle", "pillar", "bollard"),
    ),
    "shop": Place(
        floors=("tiles", "planks"),
        beside=(),
        marks=("none",),
        fronts=(fronts.shelves,),
        wall=(1.8, 7),
        objects=("shelf", "shelf", "box", "board", "pillar", "bin", "tables"),
        indoor=True,
    ),
    "corridor": Place(
        floors=("tiles", "planks"),
        beside=(),
        marks=("none", "lane"),
        fronts=(fronts.panels,),
        wall=(1.6, 9),
        objects=("machine", "bench", "bin", "planter", "pillar", "board", "box"),
        indoor=True,
    ),
}


def draw_ground(place: Place, rng: np.random.Generator) -> Texture:
    """Paints the ground of a place; people walk at row 0, and later rows are further away."""
    image = _material(place.floors, rng)
    top = int(rng.uniform(1.0, 5.0) * METRE)
    bottom = TEXELS - int(rng.uniform(1.5, 5.0) * METRE)
    if place.beside:
        strip = _material(place.beside, rng).crop((0, 0, TEXELS, bottom - top))
        image.paste(strip, (0, top))
        draw = ImageDraw.Draw(image)
        for row in (top, bottom - 5):
            draw.rectangle([0, row, TEXELS, row + 5], fill=draw_muted(rng, 120, 210))
    MARKS[str(rng.choice(place.marks))](ImageDraw.Draw(image), top, bottom, rng)
    return add_grain(rng, image, float(rng.uniform(3, 9)))


def draw_front(place: Place, rng: np.random.Generator, clutter: float) -> Texture:
    """Paints the front of a place; without clutter, a wall of one colour."""
    if clutter <= 0:
        return add_grain(rng, filled(draw_muted(rng, 95, 185)), 0)
    paint = place.fronts[int(rng.integers(len(place.fronts)))]
    return add_grain(rng, paint(rng), float(rng.uniform(3, 8)))


def _material(names: tuple[str, ...], rng: np.random.Generator) -> Image.Image:
    return MATERIALS[str(rng.choice(names))](rng)


Mark = Callable[[ImageDraw.ImageDraw, int, int, np.random.Generator], None]


def _none(draw: ImageDraw.ImageDraw, top: int, bottom: int, rng: np.random.Generator) -> None:
    """Paints nothing."""


def _lane(draw: ImageDraw.ImageDraw, top: int, bottom: int, rng: np.random.Generator) -> None:
    middle, dash = (top + bottom) // 2, int(rng.choice([32, 64, TEXELS]))
    for left in range(0, TEXELS, 2 * dash):
        draw.rectangle([left, middle - 2, left + dash, middle + 2], fill=WHITE)
    edge = (205, 180, 60) if rng.random() < 0.4 else WHITE
    draw.rectangle([0, top + 12, TEXELS, top + 15], fill=edge)


def _zebra(draw: ImageDraw.ImageDraw, top: int, bottom: int, rng: np.random.Generator) -> None:
    bar = int(0.5 * METRE)
    if rng.random() < 0.5:  # across the strip
        start = int(rng.integers(0, TEXELS))
        for left in range(start, start + int(4 * METRE), 2 * bar):
            draw.rectangle([left, top + 8, left + bar, bottom - 8], fill=WHITE)
        return
    for row in range(top + 8, min(bottom - 8, top + int(4 * METRE)), 2 * bar):
        draw.rectangle([0, row, TEXELS, row + bar], fill=WHITE)


def _bays(draw: ImageDraw.ImageDraw, top: int, bottom: int, rng: np.random.Generator) -> None:
    step = TEXELS // int(rng.choice([5, 6]))
    for left in range(0, TEXELS, step):
        draw.rectangle([left, top, left + 3, top + int(5 * METRE)], fill=WHITE)
    draw.rectangle([0, top, TEXELS, top + 3], fill=WHITE)


MARKS: dict[str, Mark] = {"none": _none, "lane": _lane, "zebra": _zebra, "bays": _bays}


def draw_place(rng: np.random.Generator, indoor: float) -> str:
    """Draws the name of a place, indoors with probability ``indoor``."""
    inside = bool(rng.random() < indoor)
    return str(rng.choice([name for name, place in PLACES.items() if place.indoor == inside]))


def plain_ground(rng: np.random.Generator) -> Texture:
    """Draws a ground of one colour."""
    return add_grain(rng, filled(draw_muted(rng, 85, 165)), 0)
