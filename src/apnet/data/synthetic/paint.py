"""The colour of every visible point of a figure, before light: cloth, skin, hair, bags."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from apnet.data.synthetic.anatomy import CROWN, HEM, NECK, WAIST, Mask, is_scalp, under_top
from apnet.data.synthetic.body import Array
from apnet.data.synthetic.cloth import logo, pattern
from apnet.data.synthetic.parts import BAG, BODY, HAIR, HAT, SKIRT
from apnet.data.synthetic.wardrobe import Color, Look


def paint(look: Look, kinds: NDArray[np.int64], attributes: Array) -> Array:
    """Returns (P, 3) colours from 0 to 255 of points with (P,) kinds and (P, 6) attributes."""
    colors = np.zeros((len(kinds), 3), dtype=np.float32)
    for kind, painter in PAINTERS.items():
        mask = kinds == kind
        if mask.any():
            colors[mask] = painter(look, attributes[mask])
    return colors


def _body(look: Look, at: Array) -> Array:
    colors = _filled(look.skin, len(at))
    x, y, z, arm, leg, head = at.T
    reach = 0.3 if look.bottom == "skirt" else look.bottom_length
    legs = (head < 0.5) & (arm < 0) & (z < WAIST) & (leg < reach)
    colors[legs] = _legwear(look, at[legs])
    socks = (leg > 1.8) & (leg < 2.0) & (leg >= look.bottom_length)
    colors[socks] = np.array(look.shoes) * 0.3 + 110
    collar = NECK - 0.035 * (y < 0) * np.clip(1 - (x / 0.08) ** 2, 0, 1)
    neckline = np.where(np.abs(x) < 0.08, collar, NECK + 0.1)
    torso = under_top(at, HEM[look.top]) & (z < neckline)
    worn = torso | ((arm >= 0) & (arm < look.sleeve))
    colors[worn] = _top(look, at[worn])
    colors[torso & (z > neckline - 0.016) & (np.abs(x) < 0.08)] *= 0.75  # collar
    _shoes(look, colors, at)
    _straps(look, colors, at, torso)
    _head(look, colors, at)
    return colors


def _shoes(look: Look, colors: Array, at: Array) -> None:
    z, leg = at[:, 2], at[:, 4]
    shoes = leg > (2.0 if look.bottom_length > 1.5 else 1.95)
    colors[shoes] = look.shoes
    sole = (30, 30, 32) if sum(look.shoes) > 330 else (196, 194, 188)
    colors[shoes & (z < 0.02)] = sole


def _legwear(look: Look, at: Array) -> Array:
    colors = _filled(look.bottom_color, len(at))
    colors[(at[:, 4] > look.bottom_length - 0.04) & (at[:, 4] > 0)] *= 0.85  # hem
    worn = 1 + 0.08 * np.exp(-(((at[:, 4] - 0.6) / 0.3) ** 2)) * (at[:, 1] < 0)
    return _scaled(colors, worn)


def _top(look: Look, at: Array) -> Array:
    x, y, z, arm, _, _ = at.T
    colors = _filled(look.top_color, len(at))
    colors[pattern(look.pattern, look.pattern_scale, at)] = look.top_second
    trunk = arm < 0
    if look.open_front:
        gap = (y < 0) & trunk & (np.abs(x) < 0.045 + 0.075 * np.clip(1.4 - z, 0, 0.4))
        colors[gap] = look.top_second
    elif look.top in ("jacket", "coat"):
        colors[(y < 0) & trunk & (np.abs(x) < 0.006)] *= 0.55  # zip
    colors[trunk & logo(look.logo, at)] = look.logo_color
    colors[arm > look.sleeve - 0.06] *= 0.85  # cuffs
    return colors


def _straps(look: Look, colors: Array, at: Array, torso: Mask) -> None:
    x, y, z = at[:, 0], at[:, 1], at[:, 2]
    if look.bag == "backpack":
        strap = torso & (np.abs(np.abs(x) - 0.1) < 0.02) & (z > 1.12) & ((y < 0.02) | (z > 1.4))
        colors[strap] = np.array(look.bag_color) * 0.8
    elif look.bag == "shoulder":
        strap = torso & (np.abs((x - 0.1) * 0.8 - (z - 1.45) * 0.55) < 0.016)
        colors[strap] = np.array(look.bag_color) * 0.8


def _head(look: Look, colors: Array, at: Array) -> None:
    head = at[:, 5] > 0.5
    x, y, z = at[:, 0], at[:, 1], at[:, 2] - CROWN
    front = head & (y < -0.1)
    dark = np.array(look.skin) * 0.4
    colors[front & (np.abs(np.abs(x) - 0.033) < 0.015) & (np.abs(z + 0.155) < 0.007)] = dark
    colors[front & (np.abs(np.abs(x) - 0.033) < 0.018) & (np.abs(z + 0.137) < 0.004)] = look.hair
    lips = np.array(look.skin) * np.array([0.85, 0.6, 0.6])
    colors[front & (np.abs(x) < 0.023) & (np.abs(z + 0.232) < 0.006)] = lips
    scalp = head & is_scalp(at)
    if look.headwear in ("cap", "beanie"):
        colors[scalp] = look.headwear_color
    elif look.headwear == "none" and look.hair_style != "bald":
        colors[scalp] = _hair(look, at[scalp])
    elif look.headwear in ("hood", "scarf"):
        cloth = look.top_color if look.headwear == "hood" else look.headwear_color
        face = ((x / 0.062) ** 2 + ((z + 0.17) / 0.08) ** 2 < 1) & (y < -0.05)
        colors[(head | (at[:, 2] > NECK - 0.05)) & ~face & (at[:, 3] < 0)] = cloth


def _skirt(look: Look, at: Array) -> Array:
    if look.bottom != "skirt":
        return _top(look, at)
    pleats = 1 + 0.1 * np.sin(np.arctan2(at[:, 1], at[:, 0]) * 14) * at[:, 4]
    return _scaled(_filled(look.bottom_color, len(at)), pleats)


def _hair(look: Look, at: Array) -> Array:
    angle = np.arctan2(at[:, 1] + 0.05, at[:, 0])
    strands = 1 + 0.1 * np.sin(angle * 41 + 2 * np.sin(at[:, 2] * 60)) - 0.6 * (CROWN - at[:, 2])
    return _scaled(_filled(look.hair, len(at)), strands)


def _hat(look: Look, at: Array) -> Array:
    return _filled(look.headwear_color, len(at)) * np.float32(0.85)


def _bag(look: Look, at: Array) -> Array:
    colors = _filled(look.bag_color, len(at))
    height = at[:, 4]
    colors[height < 0.62] *= 0.88
    colors[np.abs(height - 0.62) < 0.025] *= 0.6  # the flap's edge
    return colors


PAINTERS: dict[int, Callable[[Look, Array], Array]] = {
    BODY: _body,
    SKIRT: _skirt,
    HAIR: _hair,
    HAT: _hat,
    BAG: _bag,
}


def _filled(color: Color, count: int) -> Array:
    return np.tile(np.array(color, dtype=np.float32), (count, 1))


def _scaled(colors: Array, factors: NDArray[np.floating]) -> Array:
    return colors * factors[:, None].astype(np.float32)
