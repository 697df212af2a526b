"""Street furniture that stands between camera and person: poles, bins, hedges."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from apnet.data.synthetic.body import Array
from apnet.data.synthetic.textures import muted, toned

Drawn = tuple[NDArray[np.bool_], Array]


def draw_obstacle(size: tuple[int, int], rng: np.random.Generator) -> Drawn:
    """Returns the (H, W) mask of an obstacle in a box of ``size`` and its (H, W, 3) colours."""
    kinds: tuple[Callable[[Array, Array, np.random.Generator], Drawn], ...] = (_pole, _bin, _hedge)
    height, width = size
    row = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    column = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    mask, colors = kinds[int(rng.integers(len(kinds)))](row, column, rng)
    grain = rng.normal(0, 5, (height, width, 1)).astype(np.float32)
    return mask, colors + grain


def _round(across: Array) -> Array:
    """The light on a cylinder; ``across`` runs from -1 to 1."""
    return np.asarray(0.6 + 0.45 * np.sqrt(np.clip(1 - (across * 0.9 + 0.2) ** 2, 0, 1)))


def _pole(row: Array, column: Array, rng: np.random.Generator) -> Drawn:
    half, middle = rng.uniform(0.03, 0.08), rng.uniform(0.05, 0.95)
    foot = rng.uniform(0.9, 1.2)
    thick = half * np.where(row > foot - 0.08, 1.6, 1.0)  # the base is wider
    across = (column - middle) / thick
    mask = (np.abs(across) < 1) & (row < foot)
    color = np.array(muted(rng, 45, 170), dtype=np.float32)
    return mask, color * _round(across)[..., None]


def _bin(row: Array, column: Array, rng: np.random.Generator) -> Drawn:
    half, middle, top = rng.uniform(0.16, 0.34), rng.uniform(0.0, 1.0), rng.uniform(0.55, 0.8)
    across = (column - middle) / half
    mask = (np.abs(across) < 1) & (row > top + 0.02 * across**2)
    color = np.array(toned(rng.uniform(50, 130), (0.9, 1.0, 0.95)), dtype=np.float32)
    ribs = 1 - 0.12 * (np.sin(across * 16) > 0.6) - 0.25 * (row < top + 0.05)
    return mask, color * (_round(across) * ribs)[..., None]


def _hedge(row: Array, column: Array, rng: np.random.Generator) -> Drawn:
    top, side = rng.uniform(0.6, 0.85), rng.uniform(0.3, 1.2)
    leaves = rng.normal(0, 1, (row.shape[0] // 3 + 1, column.shape[1] // 3 + 1))
    leafy = np.kron(leaves, np.ones((3, 3)))[: row.shape[0], : column.shape[1]]
    ragged = top + 0.02 * np.sin(column * 23 + side) + 0.012 * leafy
    mirrored = column if rng.random() < 0.5 else 1 - column
    mask = (row > ragged) & (mirrored < side + 0.02 * leafy)
    color = np.array(toned(rng.uniform(60, 95), (0.8, 1.0, 0.55)), dtype=np.float32)
    light = np.clip(1 + 0.22 * leafy - 0.5 * (row - top), 0.3, 1.5)
    return mask, color * light[..., None].astype(np.float32)
