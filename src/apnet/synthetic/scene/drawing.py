"""A transparent image that objects are painted on in metres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from apnet.synthetic.scene.textures import Color, scaled


@dataclass(frozen=True, eq=False)
class Sheet:
    """A transparent image with coordinates in metres: x from the left, up from the ground."""

    image: Image.Image
    draw: ImageDraw.ImageDraw
    scale: float

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in metres."""
        return self.image.width / self.scale, self.image.height / self.scale

    def box(self, x: float, up: float, wide: float, tall: float, color: Color) -> None:
        """Fills a box."""
        self.draw.rectangle(self._corners(x, up, wide, tall), fill=color)

    def oval(self, x: float, up: float, wide: float, tall: float, color: Color) -> None:
        """Fills an oval."""
        self.draw.ellipse(self._corners(x, up, wide, tall), fill=color)

    def shape(self, corners: list[tuple[float, float]], color: Color) -> None:
        """Fills a polygon."""
        foot = self.image.height
        self.draw.polygon([(x * self.scale, foot - up * self.scale) for x, up in corners], color)

    def tube(self, x: float, up: float, wide: float, tall: float, color: Color) -> None:
        """Fills a box with the shading of a cylinder."""
        steps = max(2, min(8, round(wide * self.scale)))
        for step in range(steps):
            across = (step + 0.5) / steps * 2 - 1
            light = 0.55 + 0.5 * np.sqrt(max(0.0, 1 - (0.9 * across + 0.2) ** 2))
            left = x + wide * step / steps
            self.box(left, up, wide / steps, tall, scaled(color, light))

    def _corners(self, x: float, up: float, wide: float, tall: float) -> list[float]:
        foot, scale = self.image.height, self.scale
        return [x * scale, foot - (up + tall) * scale, (x + wide) * scale, foot - up * scale]


Draw = Callable[[Sheet, np.random.Generator], None]
