"""The pinhole through which a detector's box is seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apnet.data.synthetic.body import Array


@dataclass(frozen=True, eq=False)
class View:
    """A camera's position and the detector's box.

    Attributes:
        eye: (3,) metres; the camera looks along y.
        pitch: downwards, radians.
        focal: pixels.
        centre: column and row of the optical axis, pixels.
        size: height and width of the box, pixels.
    """

    eye: Array
    pitch: float
    focal: float
    centre: tuple[float, float]
    size: tuple[int, int]

    def project(self, points: Array) -> Array:
        """Maps (V, 3) world points to column, row, depth."""
        offset = points - self.eye
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        depth = offset[:, 1] * c - offset[:, 2] * s
        up = offset[:, 1] * s + offset[:, 2] * c
        column = self.centre[0] + self.focal * offset[:, 0] / depth
        row = self.centre[1] - self.focal * up / depth
        return np.stack([column, row, depth], axis=1).astype(np.float32)

    def rays(self, size: tuple[int, int]) -> Array:
        """Returns (h * w, 3) world directions of the pixels of the box at another resolution."""
        step = (self.size[0] / size[0], self.size[1] / size[1])
        row = (np.arange(size[0]) + 0.5) * step[0]
        column = (np.arange(size[1]) + 0.5) * step[1]
        right = np.tile((column - self.centre[0]) / self.focal, size[0])
        up = np.repeat((self.centre[1] - row) / self.focal, size[1])
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        return np.stack([right, c + up * s, -s + up * c], axis=1).astype(np.float32)


def framed(
    points: Array,
    placed: tuple[float, float],
    size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[View, float]:
    """Aims the camera and places the detector's box: offset, scaled, now and then cut.

    Args:
        points: (V, 3) the person's points.
        placed: the camera's height and distance, metres.
        size: height and width of the box, pixels.
        rng: source of the jitter.

    Returns:
        The view, and the share of the person's height that it cuts off.
    """
    height, distance = placed
    eye = np.array([rng.normal(0, 0.6), -distance, height], dtype=np.float32)
    pitch = float(np.arctan2(height - 0.9, distance))
    seen = View(eye, pitch, 1.0, (0.0, 0.0), size).project(points)
    top, bottom = float(seen[:, 1].min()), float(seen[:, 1].max())
    middle = float(seen[:, 0].min() + seen[:, 0].max()) / 2
    tall = bottom - top
    box = tall * float(np.clip(rng.normal(1.07, 0.05), 0.97, 1.25))
    centre = (top + bottom) / 2 + float(rng.normal(0, 0.025)) * tall
    middle += float(rng.normal(0, 0.03)) * tall
    if rng.random() < 0.06:  # the detector lost the feet
        box *= 0.8
        centre -= 0.12 * tall
    cut = max(0.0, bottom - (centre + box / 2)) + max(0.0, (centre - box / 2) - top)
    focal = size[0] / box
    place = (size[1] / 2 - middle * focal, size[0] / 2 - centre * focal)
    return View(eye, pitch, focal, place, size), float(cut / tall)
