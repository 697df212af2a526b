"""Rain."""

from __future__ import annotations

import numpy as np

from apnet.synthetic.people.body import Array


def draw_rain(pixels: Array, rng: np.random.Generator) -> None:
    """Draws falling drops and a slight haze over (H, W, 3) pixels, in place."""
    height, width = pixels.shape[:2]
    pixels *= np.float32(0.82)
    pixels += np.float32(26)
    count, length = int(rng.uniform(0.002, 0.006) * height * width), max(3, height // 20)
    row = rng.integers(0, height, count)[:, None] + np.arange(length)
    drift = np.arange(length) * rng.uniform(-0.25, 0.25)
    column = rng.integers(0, width, count)[:, None] + drift.astype(np.int64)
    kept = (row < height) & (column >= 0) & (column < width)
    pixels[row[kept], column[kept]] += np.float32(rng.uniform(12, 32))
