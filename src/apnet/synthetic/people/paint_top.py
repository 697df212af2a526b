"""Colours of tops: cloth, colour blocks, collars, plackets, lapels, prints."""

from __future__ import annotations

import numpy as np

from apnet.synthetic.people.anatomy import NECK, Mask
from apnet.synthetic.people.body import Array
from apnet.synthetic.people.cloth import pattern_colors, print_points, weave
from apnet.synthetic.people.fit import hem_height, skirt_belongs_to_top
from apnet.synthetic.people.wardrobe import Look

NECKLINES = {"tee": (0.03, 0.075), "polo": (0.03, 0.07), "tank": (0.085, 0.1),
             "dress": (0.085, 0.095)}  # fmt: skip
"""Depth and width of the neckline in front in metres; other tops close at the neck."""

V_NECKED = ("blazer", "coat")
RIBBED = ("sweater", "hoodie", "jacket")


def neckline(look: Look, at: Array) -> Array:
    """Returns the (P,) height of the upper edge of a top at each point of the trunk in metres."""
    depth, width = NECKLINES.get(look.top, (0.012, 0.07))
    x, y = at[:, 0], at[:, 1]
    cut = NECK - depth * (y < 0) * np.clip(1 - (x / width) ** 2, 0, 1)
    return np.asarray(np.where(np.abs(x) < width + 0.005, cut, NECK + 0.1))


def paint_top(look: Look, at: Array) -> Array:
    """Returns the (P, 3) colours of points that a top covers."""
    colors = _blocked(look, at, _cloth(look, at))
    x, y, z, arm = at[:, 0], at[:, 1], at[:, 2], at[:, 3]
    trunk = arm < 0
    front = trunk & (y < 0)
    if look.texture > 0:
        colors *= _textured(look, at)[:, None]
        _edges(look, colors, at)
    opening = _gap(look, z) if look.open_front or look.top in V_NECKED else None
    if opening is None:
        _closure(look, colors, at, front)
    for name, tone, seed, side in (
        (look.logo, look.logo_color, look.pattern_seed, front),
        (look.back_logo, look.back_color, look.pattern_seed + 1, trunk & (y > 0.02)),
    ):
        if name != "none":
            _print(look, colors, at, (name, seed, side, np.array(tone, dtype=np.float32)))
    if opening is not None:
        _inside(look, colors, at, front, opening)
    if look.top in ("shirt", "polo", "blazer"):
        _collar(look, colors, at, trunk & (np.abs(x) < 0.11))
    return colors


def _cloth(look: Look, at: Array) -> Array:
    base = np.array(look.top_color, dtype=np.float32)
    if look.pattern == "plain":
        return np.tile(base, (len(at), 1))
    colors = np.array([base, look.top_second, look.top_third], dtype=np.float32)
    placing = (look.pattern_scale, look.pattern_angle)
    return pattern_colors(look.pattern, look.pattern_seed, placing, colors, at).astype(np.float32)


def _blocked(look: Look, at: Array, colors: Array) -> Array:
    """Adds blocks of the second and third colour to (P, 3) colours, in place."""
    if look.block == "none":
        return colors
    x, z, arm = at[:, 0], at[:, 2], at[:, 3]
    shift = look.pattern_scale * 0.05
    along = np.where(arm >= 0, 1.42 - arm * 0.25, z)
    if look.block == "sleeves":
        second, third = arm > 0.08, (arm > 0.04) & (arm < 0.08)
    elif look.block == "raglan":
        reach = np.abs(x) - 0.04 - 0.5 * np.clip(1.5 - z, 0, 1)
        second = (arm > -0.1) | (reach > 0)
        third = (z > NECK - 0.02) & (arm < 0)
    elif look.block == "yoke":
        low = 1.25 + shift
        second, third = along > low + 0.05, (along > low) & (along < low + 0.05)
    elif look.block == "band":
        low = 1.13 + shift
        second = (along > low) & (along < low + 0.12)
        third = (along > low + 0.12) & (along < low + 0.15)
    elif look.block == "half":
        second, third = along < 1.1 + shift, np.zeros(len(at), dtype=bool)
    elif look.block == "panel":
        second = ((np.abs(x) > 0.095) & (arm < 0)) | (np.abs(at[:, 1] + 0.03) * 9 + 0.6 < arm)
        third = (np.abs(np.abs(x) - 0.092) < 0.006) & (arm < 0)
    else:
        reach = x - (z - 1.25) * 0.9
        second, third = (np.abs(reach) < 0.06) & (arm < 0), (np.abs(reach - 0.08) < 0.015)
    colors[second] = look.top_second
    colors[third] = look.top_third
    return colors


def _textured(look: Look, at: Array) -> Array:
    """Returns (P,) brightness factors of knit, weave or quilting."""
    strength = np.float32(look.texture)
    if look.top == "puffer":
        along = np.where(at[:, 3] >= 0, at[:, 3] * 0.28, at[:, 2])
        period = 0.05 + 0.03 * look.pattern_scale
        seams = np.abs(np.sin(along * (np.pi / period)))
        return np.asarray(1 + strength * (0.32 * np.sqrt(seams) - 0.22))
    knit = look.top in ("sweater", "hoodie")
    grain = 0.09 if knit else 0.045
    fineness = (260.0, 110.0) if knit else (170.0, 170.0)
    factors = grain * weave(at, fineness) + 0.05 * weave(at, (60.0, 45.0), 4)
    return np.asarray(1 + strength * factors)


def _edges(look: Look, colors: Array, at: Array) -> None:
    """Darkens cuffs, hem and shoulder seam, in place."""
    z, arm = at[:, 2], at[:, 3]
    trunk = arm < 0
    wide = 0.045 if look.top in RIBBED else 0.014
    ends = at[:, 4] > 0.96 if skirt_belongs_to_top(look) else trunk & (z < hem_height(look) + wide)
    edge = ends | (arm > look.sleeve - wide * 3)
    shade = 1 - look.texture * (0.22 if look.top in RIBBED else 0.16)
    colors[edge] *= shade
    colors[np.abs(arm - 0.06) < 0.012] *= 1 - 0.25 * look.texture


def _gap(look: Look, z: Array) -> Array:
    """Returns (P,) half the width of the opening of an open or V-necked top in metres."""
    neck = 0.062 * np.clip((z - 1.24) / 0.24, 0, 1)
    if not look.open_front:
        return np.asarray(np.where(z > 1.24, neck, -1.0))
    return np.asarray(np.maximum(0.03 + 0.13 * np.clip(1.32 - z, 0, 0.45), neck))


def _inside(look: Look, colors: Array, at: Array, front: Mask, gap: Array) -> None:
    """Paints the shirt and tie in the opening of a top, and the lapels beside it, in place."""
    x, z = np.abs(at[:, 0]), at[:, 2]
    inside = front & (x < gap)
    colors[inside] = look.inner_color
    colors[inside & (z < 1.01)] = look.bottom_color
    if look.tie:
        colors[inside & (x < 0.014 + 0.05 * np.clip(1.45 - z, 0, 0.3)) & (z < 1.47)] = (
            look.logo_color
        )
    else:
        colors[inside & (x < 0.004)] *= 0.85
    edge = front & (x >= gap) & (gap > 0)
    colors[edge & (x < gap + 0.007)] *= 0.55
    if look.top in V_NECKED:
        lapel = 0.045 * np.clip((1.47 - z) / 0.06, 0, 1) * np.clip((z - 1.1) / 0.1, 0, 1)
        colors[edge & (np.abs(x - gap - lapel) < 0.006) & (z > 1.12)] *= 0.6
        colors[edge & (x < gap + lapel)] *= 1.08


def _closure(look: Look, colors: Array, at: Array, front: Mask) -> None:
    """Paints zips, plackets with buttons and pockets, in place."""
    x, z = at[:, 0], at[:, 2]
    shade = 1 - 0.45 * look.texture
    if look.top in ("jacket", "puffer"):
        colors[front & (np.abs(x) < 0.006)] *= 0.5
    elif look.top in ("shirt", "polo") and look.texture > 0:
        placket = front & (z > (1.36 if look.top == "polo" else 0))
        colors[placket & (np.abs(np.abs(x) - 0.015) < 0.0035)] *= shade
        button = placket & (np.abs(x) < 0.006) & (z % 0.085 < 0.012)
        colors[button] = 40 if sum(look.top_color) > 380 else 215
    if look.top == "shirt" and look.texture > 0:
        inner = (np.abs(x - 0.085) < 0.038) & (np.abs(z - 1.285) < 0.045)
        line = inner & ((np.abs(x - 0.085) > 0.033) | (np.abs(z - 1.285) > 0.04))
        colors[front & line] *= 1 - 0.28 * look.texture
    if look.top == "hoodie" and look.texture > 0:
        reach = np.abs(x) - 0.08 - np.clip(1.0 - z, 0, 0.06) * 0.7
        colors[front & (z < 1.05) & (np.abs(reach) < 0.006)] *= shade
        colors[front & (np.abs(z - 1.05) < 0.005) & (reach < 0)] *= shade
        colors[front & (np.abs(np.abs(x) - 0.03) < 0.004) & (z > 1.34)] = 205


def _collar(look: Look, colors: Array, at: Array, near: Mask) -> None:
    """Paints a turned-down collar and the shadow below it, in place."""
    x, z = np.abs(at[:, 0]), at[:, 2]
    low = NECK - 0.03 - 0.04 * (at[:, 1] < 0) * np.clip(1 - np.abs(x - 0.04) / 0.035, 0, 1)
    collar = near & (z > low)
    if look.top == "polo" and look.block != "none":
        colors[collar] = look.top_second
    if look.top != "blazer" and look.texture > 0:
        colors[collar] = colors[collar] * np.float32(0.94) + 14
    colors[near & (np.abs(z - low + 0.004) < 0.006)] *= 1 - 0.4 * look.texture


def _print(look: Look, colors: Array, at: Array, what: tuple[str, int, Mask, Array]) -> None:
    """Paints one print on the chest or the back, in place."""
    name, seed, side, tone = what
    points = np.flatnonzero(side)
    back = seed != look.pattern_seed
    placing = (0.1, 0.0) if back else (look.logo_size, look.logo_side)
    place, second = print_points(name, seed, placing, at[points])
    other = np.array(look.top_third, dtype=np.float32) * 0.5 + tone * 0.5
    colors[points[place]] = np.where(second[:, None], other, tone)
