"""The colour of every visible point of a figure, before light: cloth, patterns, logos, skin, hair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apnet.data.synthetic.body import Array
from apnet.data.synthetic.figure import BAG, BODY, HAIR, HAT, SKIRT, is_scalp
from apnet.data.synthetic.wardrobe import Color, Look

Mask = NDArray[np.bool_]

WAIST, NECK, CHEST = 1.0, 1.505, 1.28
"""Heights on the mean body, metres."""


def paint(look: Look, kinds: NDArray[np.int64], attributes: Array) -> Array:
    """Returns (P, 3) colours from 0 to 255 of points with (P,) parts and (P, 6) attributes."""
    colors = np.zeros((len(kinds), 3), dtype=np.float32)
    for kind, painter in (
        (BODY, _body),
        (SKIRT, _skirt),
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
    x, y, z, arm, leg, head = at.T
    trunk = (head < 0.5) & (arm < 0)
    hem = WAIST - {"shirt": 0.07, "sweater": 0.1, "jacket": 0.11, "coat": 0.14}[look.top]
    if look.bottom != "skirt":
        legs = trunk & (z < WAIST + 0.01) & (leg < look.bottom_length)
        colors[legs] = _legwear(look, at[legs])
    socks = (leg > 1.75) & (leg < 2.03) & (leg >= look.bottom_length)
    colors[socks] = np.array(look.shoes) * 0.3 + 110
    neckline = np.where(np.abs(x) < 0.07, NECK - 0.05 * (1 - (x / 0.07) ** 2) * (y < 0), NECK + 0.1)
    torso = trunk & (z > hem) & (z < neckline) & (leg < 0.35)
    worn = torso | ((arm >= 0) & (arm < look.sleeve))
    colors[worn] = _top(look, at[worn])
    shoes = leg > 2.0 if look.bottom_length > 1.5 else leg > 1.97
    colors[shoes] = look.shoes
    colors[shoes & (z < 0.018)] = np.array(look.shoes) * 0.25 + 90
    _straps(look, colors, at, torso)
    _face(look, colors, at, head > 0.5)
    return colors


def _legwear(look: Look, at: Array) -> Array:
    colors = _filled(look.bottom_color, len(at))
    seam = np.abs(np.abs(at[:, 1]) - 0.02) < 0.004
    colors[seam & (at[:, 4] > 0)] *= 0.82
    colors[at[:, 2] > WAIST - 0.02] *= 0.6  # belt
    fade = 1 + 0.08 * np.exp(-(((at[:, 4] - 0.6) / 0.3) ** 2)) * (at[:, 1] < 0)
    return colors * fade[:, None]


def _top(look: Look, at: Array) -> Array:
    x, y, z, arm, _, _ = at.T
    colors = _filled(look.top_color, len(at))
    second = _pattern(look, at)
    colors[second] = look.top_second
    if look.logo != "none":
        logo = _logo(look, x, z) & (arm < 0)
        colors[logo] = look.logo_color
    front = (y < 0) & (arm < 0)
    if look.open_front:
        gap = front & (np.abs(x) < 0.045 + 0.03 * np.clip((1.4 - z) / 0.4, 0, 1))
        colors[gap] = look.top_second
    elif look.top in ("jacket", "coat"):
        colors[front & (np.abs(x) < 0.006)] *= 0.55  # zip
    return colors


def _pattern(look: Look, at: Array) -> Mask:
    x, y, z, arm, _, _ = at.T
    scale = look.pattern_scale
    along = np.where(arm >= 0, arm * 0.28, z)
    around = np.where(arm >= 0, y * 1.2, x)
    masks = {
        "plain": lambda: np.zeros(len(at), dtype=bool),
        "stripes": lambda: np.sin(along * 2 * np.pi / (0.085 * scale)) > 0.15,
        "pinstripes": lambda: np.sin(around * 2 * np.pi / (0.055 * scale)) > 0.55,
        "checks": lambda: (np.sin(along * 2 * np.pi / (0.11 * scale)) > 0)
        ^ (np.sin(around * 2 * np.pi / (0.11 * scale)) > 0),
        "dots": lambda: np.sin(along * 2 * np.pi / (0.075 * scale))
        * np.sin(around * 2 * np.pi / (0.075 * scale))
        > 0.35,
        "camouflage": lambda: np.sin(x * 31 / scale + 2 * np.sin(z * 23 / scale))
        + np.sin(z * 37 / scale + 2.5 * np.sin(x * 19 + y * 11))
        > 0.3,
        "yoke": lambda: np.where(arm >= 0, arm < 0.9, z > CHEST + 0.02),
        "panel": lambda: (np.abs(x) > 0.085) & (arm < 0),
    }
    return np.asarray(masks[look.pattern]())


def _logo(look: Look, x: Array, z: Array) -> Mask:
    u, v = x / 0.075, (z - CHEST) / 0.075
    masks = {
        "disc": lambda: u**2 + v**2 < 1,
        "square": lambda: (np.abs(u) < 0.95) & (np.abs(v) < 0.95) & ~((np.abs(u) < 0.4) & (np.abs(v) < 0.4)),
        "bar": lambda: (np.abs(u) < 1.6) & (np.abs(v) < 0.4),
        "letters": lambda: (np.abs(u) < 1.5) & (np.abs(v) < 0.55) & (np.sin(u * 9) + 0.6 * np.sin(v * 7 + u * 4) > 0),
        "chevron": lambda: (np.abs(v - 0.7 + np.abs(u) * 0.9) < 0.33) & (np.abs(u) < 1.4),
    }  # fmt: skip
    return np.asarray(masks[look.logo]())


def _straps(look: Look, colors: Array, at: Array, torso: Mask) -> None:
    x, y, z = at[:, 0], at[:, 1], at[:, 2]
    if look.bag == "backpack":
        strap = torso & (np.abs(np.abs(x) - 0.095) < 0.02) & (z > 1.12) & ((y < 0.02) | (z > 1.4))
        colors[strap] = np.array(look.bag_color) * 0.8
    elif look.bag == "shoulder":
        strap = torso & (np.abs((x - 0.1) * 0.8 - (z - 1.45) * 0.55) < 0.016)
        colors[strap] = np.array(look.bag_color) * 0.8


def _face(look: Look, colors: Array, at: Array, head: Mask) -> None:
    x, y, z = at[:, 0], at[:, 1], at[:, 2]
    top = float(z[head].max()) if head.any() else 0.0
    front = head & (y < -0.09)
    eyes = front & (np.abs(np.abs(x) - 0.031) < 0.014) & (np.abs(z - (top - 0.105)) < 0.008)
    colors[eyes] = np.array(look.skin) * 0.35
    mouth = front & (np.abs(x) < 0.022) & (np.abs(z - (top - 0.178)) < 0.006)
    colors[mouth] = np.array(look.skin) * np.array([0.8, 0.55, 0.55])
    covered = np.zeros(len(at), dtype=bool)
    covered[head] = is_scalp(at[head]) > 0.5
    if look.headwear in ("cap", "beanie"):
        colors[covered] = look.headwear_color
    elif look.headwear == "none" and look.hair_style != "bald":
        colors[covered] = look.hair
    elif look.headwear in ("hood", "scarf"):
        cloth = look.top_color if look.headwear == "hood" else look.headwear_color
        oval = (x / 0.062) ** 2 + ((z - (top - 0.125)) / 0.09) ** 2 < 1
        colors[(head | (z > NECK - 0.05)) & ~(oval & (y < -0.05)) & (at[:, 3] < 0)] = cloth


def _skirt(look: Look, at: Array) -> Array:
    color = look.bottom_color if look.bottom == "skirt" else look.top_color
    pleats = 1 + 0.1 * np.sin(np.arctan2(at[:, 1], at[:, 0]) * 14) * at[:, 4]
    return _filled(color, len(at)) * pleats[:, None]


def _hair(look: Look, at: Array) -> Array:
    strands = 1 + 0.12 * np.sin(np.arctan2(at[:, 1], at[:, 0]) * 37)
    return _filled(look.hair, len(at)) * strands[:, None]


def _hat(look: Look, at: Array) -> Array:
    return _filled(look.headwear_color, len(at)) * 0.85


def _bag(look: Look, at: Array) -> Array:
    colors = _filled(look.bag_color, len(at))
    height = at[:, 2] - (at[:, 2].min() + at[:, 2].max()) / 2
    colors[np.abs(height - 0.05) < 0.012] *= 0.6  # the flap's edge
    return colors


def _filled(color: Color, count: int) -> Array:
    return np.tile(np.array(color, dtype=np.float32), (count, 1))
