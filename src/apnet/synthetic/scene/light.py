"""The light of a camera's place: sun or lamps, sky, ground, and where shade lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from apnet.synthetic.people.body import Array
from apnet.synthetic.scene.textures import SPAN
from apnet.synthetic.world.settings import World

CELLS = 128
"""Side of the sheet on which shade is drawn; it covers as many metres as a texture."""

FINE = 3
"""How much finer the map of shade is, so that its cells do not show."""


@dataclass(frozen=True, eq=False)
class Light:
    """Light from one direction, and from everywhere.

    Attributes:
        kind: ``sun``, ``overcast``, ``night`` or ``indoor``.
        sun: (3,) unit vector towards the sun or lamp.
        direct: (3,) strength of its red, green and blue.
        sky: (3,) of the light from above.
        bounce: (3,) of the light from the ground.
        shade: (S, S) from 0 to 1, repeating, the share of direct light kept off the ground.
        shadows: from 0 to 1, how much of the direct light a figure keeps off.
    """

    kind: str
    sun: Array
    direct: Array
    sky: Array
    bounce: Array
    shade: Array
    shadows: float

    def sun_share(self, points: Array) -> Array:
        """Returns the (P,) share of direct light that reaches (P, 3) points of the place.

        What throws the shade is far and tall: it reaches a point if it reaches the ground below it,
        along the light.
        """
        slope = self.sun[:2] / max(float(self.sun[2]), 0.25)
        x = points[:, 0] - slope[0] * points[:, 2]
        y = points[:, 1] - slope[1] * points[:, 2]
        side = len(self.shade)
        column = (x * (side / SPAN)).astype(np.int32) % side
        row = (y * (side / SPAN)).astype(np.int32) % side
        return np.asarray(1 - self.shade[row, column])

    def irradiance(self, normals: Array, reached: Array) -> Array:
        """Returns the (P, 3) light on surfaces: (P, 3) normals and the (P,) direct share."""
        above = (0.5 + 0.5 * normals[:, 2])[:, None]
        facing = np.clip(normals @ self.sun, 0, 1) * reached
        light: Array = self.sky * above + self.bounce * (1 - above) + self.direct * facing[:, None]
        return light


def draw_light(rng: np.random.Generator, world: World, kind: str) -> Light:
    """Draws a light of a kind.

    Args:
        rng: source of randomness.
        world: shares of shade and of light without direction, strength of shadows.
        kind: see ``Light``.
    """
    ambient = rng.uniform(*world.ambient)
    warm = rng.uniform(0.0, 0.12)
    toward = np.array([rng.uniform(-1, 1), rng.uniform(-1.0, 0.7), rng.uniform(0.45, 1.3)])
    direct, sky = 1.3 - ambient, ambient * np.array([0.96, 1.0, 1.06])
    shade = _patches(rng, float(np.clip(rng.normal(world.shade, 0.18), 0, 1)) * (world.shade > 0))
    if kind == "overcast":
        direct, warm = 0.12, 0.0
        sky = rng.uniform(0.75, 0.95) * np.array([0.98, 1.0, 1.03])
    elif kind == "night":
        direct, warm = rng.uniform(0.5, 0.85), rng.uniform(0.05, 0.35)
        sky = rng.uniform(0.16, 0.3) * np.array([1.0, 1.0, rng.uniform(0.9, 1.2)])
        shade = _lamps(rng)
    elif kind == "indoor":
        direct, warm = rng.uniform(0.15, 0.5), rng.uniform(-0.04, 0.1)
        sky = rng.uniform(0.6, 0.8) * np.array([1.0, 1.0, 0.97])
        toward[2] = 2.0
        shade = np.zeros_like(shade)
    return Light(
        kind=kind,
        sun=(toward / np.sqrt((toward**2).sum())).astype(np.float32),
        direct=(direct * np.array([1 + warm, 1.0, 1 - 1.5 * warm])).astype(np.float32),
        sky=sky.astype(np.float32),
        bounce=(sky * rng.uniform(0.45, 0.75)).astype(np.float32),
        shade=shade,
        shadows=world.shadows,
    )


def _patches(rng: np.random.Generator, share: float) -> Array:
    """Shade of buildings (bands) and of trees (dapples) over about a share of the ground."""
    if share <= 0:
        return np.zeros((CELLS, CELLS), dtype=np.float32)
    image = Image.new("L", (CELLS, CELLS), 0)
    draw = ImageDraw.Draw(image)
    left, skew = rng.uniform(0, CELLS), rng.uniform(-70, 70)
    wide = share * CELLS * rng.uniform(0.55, 1.0)
    for start in (left - 2 * CELLS, left - CELLS, left):  # the map repeats
        corners = [
            (start, 0),
            (start + wide, 0),
            (start + wide + skew, CELLS),
            (start + skew, CELLS),
        ]
        draw.polygon(corners, fill=255)
    for _ in range(int(share * 26)):
        x, y = rng.uniform(0, CELLS, 2)
        for _ in range(int(rng.integers(3, 30))):
            at, size = rng.normal(0, 7, 2), rng.uniform(1, 5)
            box = [x + at[0] - size, y + at[1] - size, x + at[0] + size, y + at[1] + size]
            draw.ellipse(box, fill=255)
    soft = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.0)))
    fine = soft.resize((FINE * CELLS, FINE * CELLS), Image.Resampling.BICUBIC)
    return np.asarray(fine, dtype=np.float32) / 255


def _lamps(rng: np.random.Generator) -> Array:
    """Dark but for pools of light."""
    row, column = np.mgrid[0:CELLS, 0:CELLS].astype(np.float32)
    light = np.full((CELLS, CELLS), 0.12, dtype=np.float32)
    for _ in range(int(rng.integers(2, 6))):
        x, y = rng.uniform(0, CELLS, 2)
        across = np.minimum(np.abs(column - x), CELLS - np.abs(column - x))
        along = np.minimum(np.abs(row - y), CELLS - np.abs(row - y))
        light += np.exp(-(across**2 + along**2) / (2 * rng.uniform(16, 34) ** 2))
    return np.asarray(1 - np.clip(light, 0, 1), dtype=np.float32)
