"""Obstacles between camera and person: posts, trunks, low walls, cars, bins."""

from __future__ import annotations

import functools

import numpy as np

from apnet.synthetic.people.body import Array
from apnet.synthetic.scene.objects import SceneObject, draw_object
from apnet.synthetic.scene.view import Rectangle

TALL = ("lamp", "pillar", "trunk", "machine")

LOW = {
    "bush": 0.8, "bench": 0.8, "car": 0.6, "wall": 1.0, "planter": 0.8, "bin": 1.0, "box": 0.8,
}  # fmt: skip
"""Low obstacles, and the share of the height of each up to which it is opaque."""

VARIANTS = 5
"""Number of different images per kind; obstacles are frequent and slow to paint."""


@functools.cache
def _variant(name: str, number: int) -> SceneObject:
    kind = (*TALL, *LOW).index(name)
    return draw_object(name, np.random.default_rng([6, kind, number]))


def draw_obstacle(
    figure: Rectangle, hidden: tuple[float, float], rng: np.random.Generator
) -> tuple[SceneObject, Rectangle]:
    """Draws an obstacle and its rectangle in the image.

    Args:
        figure: rectangle of the person in the image.
        hidden: smallest and largest share of the person that it should hide.
        rng: random generator.
    """
    left, top, wide, tall = figure
    share, scale = float(rng.uniform(*hidden)), tall / 1.7 * float(rng.uniform(1.1, 1.6))
    upright = rng.random() < 0.45
    name = str(rng.choice(TALL if upright else tuple(LOW)))
    obstacle = _variant(name, int(rng.integers(VARIANTS)))
    width, height = obstacle.width * scale, obstacle.height * scale
    if upright:  # covers a share of the width from one side, where the person is thinner
        share = 0.12 + 0.8 * share
        foot = top + tall * float(rng.uniform(0.98, 1.25))
        width = max(width, share * wide)
        inner = left + share * wide - width
        if rng.random() < 0.5:
            inner = left + (1 - share) * wide
        return obstacle, (inner, foot - height, width, height)
    width = max(width, 0.9 * wide)  # covers a share of the height, from below
    middle = left + wide / 2 + float(rng.uniform(-0.5, 0.5)) * (width - 0.8 * wide)
    reach = share * tall / LOW[name]
    height = max(height, reach + 0.05 * tall)
    return obstacle, (middle - width / 2, top + tall - reach, width, height)


def rectangle_around(points: Array) -> Rectangle:
    """Returns the bounding rectangle of (V, 3) projected points."""
    left, top = float(points[:, 0].min()), float(points[:, 1].min())
    return left, top, float(points[:, 0].max()) - left, float(points[:, 1].max()) - top
