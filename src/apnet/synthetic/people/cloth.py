"""Patterns, prints, weave and folds of cloth, computed per visible point."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from apnet.synthetic.people.anatomy import CHEST, Mask
from apnet.synthetic.people.body import Array
from apnet.synthetic.people.tiles import CELLS, emblem_tile, pattern_tile

PERIOD = {"stripes": 0.24, "irregular": 0.62, "pinstripes": 0.1, "checks": 0.2, "plaid": 0.24,
          "dots": 0.3, "floral": 0.34, "camouflage": 0.55, "geometric": 0.3, "diagonal": 0.3,
          "plain": 1.0, "gradient": 1.0}  # fmt: skip
"""Period in metres of each pattern at scale 1."""

NOISE_SIZE = 256
"""Side of the noise texture in cells."""


def cloth_coordinates(at: Array) -> tuple[Array, Array]:
    """Returns (P,) coordinates on cloth in metres, along and around the trunk or sleeve."""
    arm = at[:, 3]
    sleeve = arm >= 0
    along = np.where(sleeve, 1.42 - arm * 0.28, at[:, 2])
    around = np.where(sleeve, at[:, 1] * 1.2, at[:, 0])
    return along, around


def pattern_colors(
    name: str, seed: int, placing: tuple[float, float], colors: Array, at: Array
) -> Array:
    """Returns the (P, 3) colours of patterned cloth.

    Args:
        name: one of ``wardrobe.PATTERNS`` but ``plain``.
        seed: seed of the pattern.
        placing: scale (1 is usual; larger is coarser) and angle in radians.
        colors: (3, 3) base colour of the cloth and two others.
        at: (P, 7) attributes of points of the top.
    """
    along, around = cloth_coordinates(at)
    if name == "gradient":
        share = np.clip((along - 0.95) / 0.45, 0, 1)[:, None]
        return np.asarray(colors[1] + (colors[0] - colors[1]) * share)
    scale, angle = placing
    step = np.float32(CELLS / (PERIOD[name] * scale))
    if name == "diagonal":
        angle += 0.7
    c, s = np.float32(np.cos(angle)) * step, np.float32(np.sin(angle)) * step
    row = (along * c + around * s).astype(np.int64) % CELLS
    column = (around * c - along * s + CELLS * 8).astype(np.int64) % CELLS
    mixes = np.stack([*colors, (colors[0] + colors[1]) / 2, (colors[0] + colors[2]) / 2,
                      (colors[1] + colors[2]) / 2])  # fmt: skip
    return np.asarray(mixes[pattern_tile(name, seed)[row, column]])


def print_points(
    name: str, seed: int, placing: tuple[float, float], at: Array
) -> tuple[NDArray[np.int64], Mask]:
    """Returns the indices of points that a print covers, and which of these have its second tone.

    Args:
        name: one of ``wardrobe.LOGOS`` but ``none``.
        seed: seed of the emblem or word.
        placing: half width, and position across the chest, metres.
        at: (P, 7) attributes of points on one side of the trunk.
    """
    half, side = placing
    u = (at[:, 0] - side) / half
    v = (at[:, 2] - CHEST + (0.0 if side else 0.02)) / half
    near = np.flatnonzero((np.abs(u) < 1) & (np.abs(v) < 1))
    tile = emblem_tile(name, seed)
    row = ((1 - v[near]) * (len(tile) / 2)).astype(np.int64) % len(tile)
    column = ((u[near] + 1) * (len(tile) / 2)).astype(np.int64) % len(tile)
    ink = tile[row, column]
    return near[ink > 0], np.asarray(ink[ink > 0] > 1)


@functools.cache
def _noise(smooth: int) -> Array:
    """Returns periodic noise of side ``NOISE_SIZE``: mean 0, mostly in -1 to 1, always the same."""
    rng = np.random.default_rng(smooth)
    field = rng.standard_normal((NOISE_SIZE, NOISE_SIZE))
    for axis in (0, 1):
        shifts = range(-smooth, smooth + 1)
        field = np.stack([np.roll(field, shift, axis) for shift in shifts]).sum(0)
    return np.asarray(field / (2 * field.std()), dtype=np.float32)


def weave(at: Array, fineness: tuple[float, float], smooth: int = 1) -> Array:
    """Returns (P,) noise of the weave of cloth, mostly in -1 to 1.

    Args:
        at: (P, 7) attributes.
        fineness: noise cells per metre, along and around.
        smooth: radius in cells over which the noise is averaged.
    """
    around = at[:, 0] + at[:, 1]
    row = (at[:, 2] * np.float32(fineness[0])).astype(np.int64) & (NOISE_SIZE - 1)
    column = ((around + 4) * np.float32(fineness[1])).astype(np.int64) & (NOISE_SIZE - 1)
    return np.asarray(_noise(smooth)[row, column])


def folds(attributes: Array, phases: Array) -> Array:
    """Returns (P, 3) changes of the normals that look like folds.

    Irregular waves everywhere, and deeper and shorter ones where cloth is compressed: at the
    elbows, knees, crotch and waist, and above the shoes.

    Args:
        attributes: (P, 7) attributes.
        phases: (4,) radians, drawn per image, so that folds differ between images.
    """
    x, y, z, arm, leg = attributes[:, :5].T
    a = np.sin(31 * z + 17 * x + phases[0] + 2 * np.sin(13 * y + 9 * x + phases[1]))
    b = np.sin(23 * x - 27 * z + 14 * y + phases[2] + 2 * np.sin(11 * z + phases[3]))
    squeezed = (
        _near(arm, 1.0, 0.18) + _near(leg, 1.0, 0.2) + _near(leg, 1.85, 0.16)
        + _near(z, 0.99, 0.06) * (arm < 0) + _near(leg, 0.1, 0.2)
    )  # fmt: skip
    close = np.sin(95 * z + 22 * x * np.sin(phases[0]) + 25 * y + phases[3])
    return np.stack([a, b, a * b + 2.2 * squeezed * close], axis=1)


def _near(value: Array, middle: float, width: float) -> Array:
    return np.asarray(np.maximum(0, 1 - np.abs(value - middle) / width))
