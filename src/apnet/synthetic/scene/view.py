"""Pinhole camera model of the box of a detector."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from apnet.synthetic.people.body import Array

Rectangle = tuple[float, float, float, float]
"""Left, top, width and height in pixels."""


@dataclass(frozen=True, eq=False)
class View:
    """Position and orientation of a camera, and the box in its image.

    Attributes:
        eye: (3,) position in metres; the camera looks along y.
        pitch: downward tilt, radians.
        focal: focal length in pixels.
        centre: column and row of the optical axis in pixels.
        size: height and width of the box in pixels.
        roll: rotation about the optical axis, radians.
    """

    eye: Array
    pitch: float
    focal: float
    centre: tuple[float, float]
    size: tuple[int, int]
    roll: float = 0.0

    def project(self, points: Array) -> Array:
        """Returns the (V, 3) column, row (pixels) and depth (metres) of (V, 3) world points."""
        offset = points - self.eye
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        depth = np.maximum(offset[:, 1] * c - offset[:, 2] * s, 0.05)
        right = self.focal * offset[:, 0] / depth
        up = self.focal * (offset[:, 1] * s + offset[:, 2] * c) / depth
        c, s = np.cos(self.roll), np.sin(self.roll)
        column = self.centre[0] + c * right - s * up
        row = self.centre[1] - s * right - c * up
        return np.stack([column, row, depth], axis=1).astype(np.float32)

    def rays(self, size: tuple[int, int]) -> Array:
        """Returns the (h * w, 3) world directions of all pixels at a resolution of (h, w)."""
        step = (self.size[0] / size[0], self.size[1] / size[1])
        row = (np.arange(size[0]) + 0.5) * step[0]
        column = (np.arange(size[1]) + 0.5) * step[1]
        x = np.tile((column - self.centre[0]) / self.focal, size[0])
        y = np.repeat((self.centre[1] - row) / self.focal, size[1])
        c, s = np.cos(self.roll), np.sin(self.roll)
        right, up = c * x + s * y, c * y - s * x
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        return np.stack([right, c + up * s, -s + up * c], axis=1).astype(np.float32)

    def at(self, rows: int) -> View:
        """Returns the same view at a height of ``rows`` pixels."""
        scale = rows / self.size[0]
        return dataclasses.replace(
            self,
            focal=self.focal * scale,
            centre=(self.centre[0] * scale, self.centre[1] * scale),
            size=(rows, max(1, round(self.size[1] * scale))),
        )
