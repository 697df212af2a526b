"""Light at the place of a camera: sun or lamps, sky, light from the ground, and shade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from apnet.synthetic.people.body import Array
from apnet.synthetic.scene.textures import SPAN
from apnet.synthetic.world.settings import World

CELLS = 128
"""Side of the image on which shade is drawn; it covers as many metres as a texture."""

FINE = 3
"""Factor by which the shade is enlarged, so that its cells are not visible."""


@dataclass(frozen=True, eq=False)
class Light:
    """Directional light, and ambient light from above and below.

    Attributes:
        kind: ``sun``, ``overcast``, ``night`` or ``indoor``.
        sun: (3,) unit vector towards the sun or lamp.
        direct: (3,) red, green and blue strength of the directional light.
        sky: (3,) strength of the light from above.
        bounce: (3,) strength of the light from the ground.
        shade: (S, S) periodic map of the share of direct light that does not reach the ground.
        shadows: share of direct light, 0 to 1, that a figure blocks.
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

        Houses and trees that cast shade are far away and tall, so a point above the ground is in
        shade if its projection on the ground along the light is.
        """
        slope = self.sun[:2] / max(float(self.sun[2]), 0.25)
        x = points[:, 0] - slope[0] * points[:, 2]
        y = points[:, 1] - slope[1] * points[:, 2]
        side = len(self.shade)
        column = (x * (side / SPAN)).astype(np.int32) % side
        row = (y * (side / SPAN)).astype(np.int32) % side
        return np.asarray(1 - self.shade[row, column])

    def irradiance(self, normals: Array, reached: Array) -> Array:
        """Returns the (P, 3) light on surfaces.

        Args:
            normals: (P, 3) unit normals.
            reached: (P,) share of direct light that reaches them.
        """
        above = (0.5 + 0.5 * normals[:, 2])[:, None]
        facing = np.clip(normals @ self.sun, 0, 1) * reached
        light: Array = self.sky * above + self.bounce * (1 - above) + self.direct * facing[:, None]
        return light


def draw_light(rng: np.random.Generator, world: World, kind: str) -> Light:
    """Draws the light of a camera.

    Args:
        rng: random generator.
        world: share of shade, range of ambient light, strength of shadows.
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
    """Returns the shade of buildings (bands) and trees (spots) over about a share of the ground."""
    if share <= 0:
        return np.zeros((CELLS, CELLS), dtype=np.float32)
    image = Image.new("L", (CELLS, CELLS), 0)
    draw = ImageDraw.Draw(image)
    left, skew = rng.uniform(0, CELLS), rng.uniform(-70, 70)
    wide = share * CELLS * rng.uniform(0.55, 1.0)
    for start in (left - 2 * CELLS, left - CELLS, left):  # the map is periodic
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
    """Returns darkness with bright areas below lamps."""
    row, column = np.mgrid[0:CELLS, 0:CELLS].astype(np.float32)
    light = np.full((CELLS, CELLS), 0.12, dtype=np.float32)
    for _ in range(int(rng.integers(2, 6))):
        x, y = rng.uniform(0, CELLS, 2)
        across = np.minimum(np.abs(column - x), CELLS - np.abs(column - x))
        along = np.minimum(np.abs(row - y), CELLS - np.abs(row - y))
        light += np.exp(-(across**2 + along**2) / (2 * rng.uniform(16, 34) ** 2))
    return np.asarray(1 - np.clip(light, 0, 1), dtype=np.float32)
