"""Vectorised z-buffer for small triangles: all candidate pixels of all triangles at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Fragments:
    """The visible point in each covered pixel.

    Attributes:
        pixels: (P,) flat pixel indices, each once.
        faces: (P,) index of the visible triangle.
        weights: (P, 3) barycentric weights of its corners.
    """

    pixels: NDArray[np.int64]
    faces: NDArray[np.int64]
    weights: Array

    def interpolate(self, values: Array, faces: NDArray[np.int64]) -> Array:
        """Returns (V, C) vertex values interpolated to (P, C) pixels."""
        corners = values[faces[self.faces]]  # (P, 3, C)
        result: Array = np.einsum("pk,pkc->pc", self.weights, corners)
        return result


def rasterize(points: Array, faces: NDArray[np.int64], size: tuple[int, int]) -> Fragments:
    """Returns the visible triangle of each pixel.

    Args:
        points: (V, 3) column and row in pixels, and depth (smaller is nearer).
        faces: (F, 3) vertex indices; back faces (clockwise on screen, rows down) are skipped.
        size: height and width in pixels.
    """
    height, width = size
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    left = np.clip(np.ceil(np.minimum(np.minimum(a[:, 0], b[:, 0]), c[:, 0]) - 0.5), 0, width)
    right = np.clip(np.floor(np.maximum(np.maximum(a[:, 0], b[:, 0]), c[:, 0]) + 0.5), 0, width)
    top = np.clip(np.ceil(np.minimum(np.minimum(a[:, 1], b[:, 1]), c[:, 1]) - 0.5), 0, height)
    bottom = np.clip(np.floor(np.maximum(np.maximum(a[:, 1], b[:, 1]), c[:, 1]) + 0.5), 0, height)
    columns, rows = (right - left).astype(np.int64), (bottom - top).astype(np.int64)
    kept = np.flatnonzero((area < -1e-6) & (columns > 0) & (rows > 0))
    columns, counts = columns[kept], columns[kept] * rows[kept]
    owner = np.repeat(np.arange(len(kept)), counts)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    row, column = np.divmod(within, columns[owner])
    face = kept[owner]
    x = (left[face] + column + 0.5).astype(np.float32)
    y = (top[face] + row + 0.5).astype(np.float32)
    inverse = 1 / area[kept]
    weight_b = _edge(c, a, x, y, kept, owner) * inverse[owner]
    weight_c = _edge(a, b, x, y, kept, owner) * inverse[owner]
    weight_a = 1 - weight_b - weight_c
    inside = (weight_a >= 0) & (weight_b >= 0) & (weight_c >= 0)
    face = face[inside]
    weights = np.stack([weight_a[inside], weight_b[inside], weight_c[inside]], axis=1)
    depth = (weights * np.stack([a[face, 2], b[face, 2], c[face, 2]], axis=1)).sum(1)
    pixel = ((y[inside] - 0.5) * width + (x[inside] - 0.5)).astype(np.int64)
    far_to_near = np.argsort(-depth, kind="stable")
    seen = np.full(height * width, -1, dtype=np.int64)
    seen[pixel[far_to_near]] = far_to_near  # of repeated indices, the last one (nearest) remains
    covered = np.flatnonzero(seen >= 0)
    nearest = seen[covered]
    return Fragments(covered, face[nearest], weights[nearest].astype(np.float32))


def _edge(
    start: Array,
    end: Array,
    x: Array,
    y: Array,
    kept: NDArray[np.int64],
    owner: NDArray[np.int64],
) -> Array:
    """Returns twice the signed area of (start, end, pixel) per candidate."""
    across = (end[kept, 0] - start[kept, 0])[owner]
    along = (end[kept, 1] - start[kept, 1])[owner]
    value: Array = across * (y - start[kept, 1][owner]) - along * (x - start[kept, 0][owner])
    return value
