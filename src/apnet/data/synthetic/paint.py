"""The colour of every visible point of a figure, before light: cloth, skin, hair, bags."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apnet.data.synthetic.anatomy import head_top, is_scalp
from apnet.data.synthetic.body import Array
from apnet.data.synthetic.part import BAG, BODY, COAT, HAIR, HAT, SKIRT
from apnet.data.synthetic.pattern import Mask, logo_mask, pattern_mask
from apnet.data.synthetic.wardrobe import Color, Look, coat_length

WAIST, NECK = 1.0, 1.505
"""Heights on the mean body, metres."""

TUCK = 0.15
"""By how much skirts and coats overlap the cloth painted beneath them, of a thigh's length."""


def paint(look: Look, kinds: NDArray[np.int64], attributes: Array) -> Array:
    """Returns (P, 3) colours from 0 to 255 of points with (P,) kinds and (P, 6) attributes."""
    colors = np.zeros((len(kinds), 3), dtype=np.float32)
    for kind, painter in (
        (BODY, _body),
        (SKIRT, _skirt),
        (COAT, _coat),
        (HAIR, _hair),
        (HAT, _hat),
        (BAG, _bag),
    ):
        mask = kinds == kind
        if mask.any():
            colors[mask] = painter(look, attributes[mask])
    return colors


def _body(look: Look, at: Array) -> Array:
    colors = _filled(look.skin, len(at))
    leg, head = at[:, 4], at[:, 5] > 0.5
    trunk = ~head & (at[:, 3] < 0)
    _legs(look, colors, at, trunk)
    torso = trunk & _under_top(look, at)
    worn = torso | ((at[:, 3] >= 0) & (at[:, 3] < look.sleeve))
    colors[worn] = _top(look, at[worn])
    shoes = leg > 2.0 if look.bottom_length > 1.5 else leg > 1.97
    colors[shoes] = look.shoes
    colors[shoes & (at[:, 2] < 0.018)] = np.array(look.shoes) * 0.25 + 90
    _straps(look, colors, at, torso)
    _face(look, colors, at, head)
    return colors


def _legs(look: Look, colors: Array, at: Array, trunk: Mask) -> None:
    leg = at[:, 4]
    skirt = look.bottom == "skirt"
    reach = look.bottom_length - TUCK if skirt else look.bottom_length
    legs = trunk & (at[:, 2] < WAIST + 0.05) & (leg < reach)
    # Beneath a skirt, cloth like it: where a stride pushes the thigh through, nothing shows.
    colors[legs] = look.bottom_color if skirt else _legwear(look, at[legs])
    socks = (leg > 1.75) & (leg < 2.03) & (leg >= look.bottom_length)
    colors[socks] = np.array(look.shoes) * 0.3 + 110


def _under_top(look: Look, at: Array) -> Mask:
    """Where the trunk and thighs wear the top: from its hem, or the skirt's waist, to the neck."""
    x, y, z, leg = at[:, 0], at[:, 1], at[:, 2], at[:, 4]
    scoop = NECK - 0.05 * (1 - (x / 0.07) ** 2) * (y < 0)
    below_neck = z < np.where(np.abs(x) < 0.07, scoop, NECK + 0.1)
    if look.top == "coat":
        return np.asarray(below_neck & (leg < coat_length(look) - TUCK))
    length = {"shirt": 0.07, "sweater": 0.1, "jacket": 0.11}[look.top]
    hem = WAIST if look.bottom == "skirt" else WAIST - length
    return np.asarray(below_neck & (z > hem) & (leg < 0.35))


def _legwear(look: Look, at: Array) -> Array:
    colors = _filled(look.bottom_color, len(at))
    seam = np.abs(np.abs(at[:, 1]) - 0.02) < 0.004
    colors[seam & (at[:, 4] > 0)] *= 0.82
    fade = 1 + 0.08 * np.exp(-(((at[:, 4] - 0.6) / 0.3) ** 2)) * (at[:, 1] < 0)
    return np.asarray(colors * fade[:, None], dtype=np.float32)


def _top(look: Look, at: Array) -> Array:
    x, y, z, arm = at[:, 0], at[:, 1], at[:, 2], at[:, 3]
    colors = _filled(look.top_color, len(at))
    colors[pattern_mask(look, at)] = look.top_second
    colors[logo_mask(look, at)] = look.logo_color
    front = (y < 0) & (arm < 0)
    if look.open_front:
        gap = front & (np.abs(x) < 0.045 + 0.03 * np.clip((1.4 - z) / 0.4, 0, 1))
        colors[gap] = look.top_second
    elif look.top in ("jacket", "coat"):
        colors[front & (np.abs(x) < 0.006)] *= 0.55  # zip
    return colors


def _straps(look: Look, colors: Array, at: Array, torso: Mask) -> None:
    x, y, z = at[:, 0], at[:, 1], at[:, 2]
    if look.bag == "backpack":
        strap = torso & (np.abs(np.abs(x) - 0.095) < 0.02) & (z > 1.12) & ((y < 0.02) | (z > 1.4))
        colors[strap] = np.array(look.bag_color) * 0.8
    elif look.bag == "shoulder":
        strap = torso & (np.abs((x - 0.1) * 0.8 - (z - 1.45) * 0.55) < 0.016)
        colors[strap] = np.array(look.bag_color) * 0.8


def _face(look: Look, colors: Array, at: Array, head: Mask) -> None:
    x, y, below_top = at[:, 0], at[:, 1], head_top() - at[:, 2]
    front = head & (y < -0.09)
    eyes = front & (np.abs(np.abs(x) - 0.031) < 0.014) & (np.abs(below_top - 0.105) < 0.008)
    colors[eyes] = np.array(look.skin) * 0.35
    mouth = front & (np.abs(x) < 0.022) & (np.abs(below_top - 0.178) < 0.006)
    colors[mouth] = np.array(look.skin) * np.array([0.8, 0.55, 0.55])
    covered = head & (is_scalp(at) > 0.5)
    if look.headwear in ("cap", "beanie"):
        colors[covered] = look.headwear_color
    elif look.headwear == "none" and look.hair_style != "bald":
        colors[covered] = look.hair
    elif look.headwear in ("hood", "scarf"):
        cloth = look.top_color if look.headwear == "hood" else look.headwear_color
        oval = (x / 0.062) ** 2 + ((0.125 - below_top) / 0.09) ** 2 < 1
        shoulders = head | (at[:, 2] > NECK - 0.05)
        colors[shoulders & ~(oval & (y < -0.05)) & (at[:, 3] < 0)] = cloth


def _skirt(look: Look, at: Array) -> Array:
    return _filled(look.bottom_color, len(at)) * _ribs(at, 14, 0.1 * at[:, 4])


def _coat(look: Look, at: Array) -> Array:
    return _top(look, at) * _ribs(at, 9, 0.05 * at[:, 4])


def _hair(look: Look, at: Array) -> Array:
    return _filled(look.hair, len(at)) * _ribs(at, 37, 0.12)


def _ribs(at: Array, count: int, depth: Array | float) -> Array:
    """Returns (P, 1) factors that go up and down around the body: pleats, strands."""
    waves = 1 + depth * np.sin(np.arctan2(at[:, 1], at[:, 0]) * count)
    return np.asarray(waves[:, None], dtype=np.float32)


def _hat(look: Look, at: Array) -> Array:
    return _filled(look.headwear_color, len(at)) * np.float32(0.85)


def _bag(look: Look, at: Array) -> Array:
    colors = _filled(look.bag_color, len(at))
    height = at[:, 2] - (at[:, 2].min() + at[:, 2].max()) / 2
    colors[np.abs(height - 0.05) < 0.012] *= 0.6  # the flap's edge
    return colors


def _filled(color: Color, count: int) -> Array:
    return np.tile(np.array(color, dtype=np.float32), (count, 1))
