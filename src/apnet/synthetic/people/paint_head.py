"""Colours of the head: hair, face, beard, glasses, hats."""

from __future__ import annotations

import numpy as np

from apnet.synthetic.people.anatomy import NECK, Mask, is_scalp
from apnet.synthetic.people.body import Array
from apnet.synthetic.people.cloth import weave
from apnet.synthetic.people.wardrobe import Look

EYES, BROWS, NOSE, MOUTH, CHIN, CROWN = 1.632, 1.652, 1.594, 1.566, 1.53, 1.745
"""Heights on the head of the mean body in metres."""

EYE = 0.031
"""Distance from the middle of the face to an eye in metres."""


def paint_head(look: Look, colors: Array, at: Array) -> None:
    """Paints the head on the (P, 3) colours of the body, in place."""
    head = np.flatnonzero(at[:, 5] > 0.5)
    place, head_colors = at[head], colors[head]
    front = place[:, 1] < -0.075
    if look.face > 0:
        _features(look, head_colors, place, front)
        _beard(look, head_colors, place)
    scalp = hair_mask(look, place)
    if look.headwear in ("cap", "beanie", "hat", "helmet"):
        _paint_hair_below_hat(look, head_colors, place)
        head_colors[_hat_mask(look, place)] = look.headwear_color
        if look.headwear == "beanie":
            rim = np.abs(place[:, 2] - 1.685 + 0.4 * np.clip(place[:, 1] + 0.13, 0, 0.09)) < 0.022
            head_colors[rim & _hat_mask(look, place)] *= 0.8
    elif look.headwear == "none" and look.hair_style != "bald":
        head_colors[scalp] = hair_colors(look, place[scalp])
    if look.glasses != "none" and look.headwear != "helmet":
        _glasses(look, head_colors, place, front)
    colors[head] = head_colors
    if look.headwear in ("hood", "scarf"):
        cloth = look.top_color if look.headwear == "hood" else look.headwear_color
        x, y, z = at[:, 0], at[:, 1], at[:, 2]
        face = ((x / 0.062) ** 2 + ((z - 1.615) / 0.078) ** 2 < 1) & (y < -0.05)
        colors[((at[:, 5] > 0.5) | (z > NECK - 0.05)) & ~face & (at[:, 3] < 0)] = cloth


def hair_mask(look: Look, at: Array) -> Mask:
    """Returns which points of the head have hair."""
    x, y, z = at[:, 0], at[:, 1], at[:, 2]
    scalp = is_scalp(at)
    if look.hair_style == "receding":
        return scalp & ((z < 1.69) | (y > -0.03))
    if look.hair_style in ("fringe", "bob"):
        return scalp | ((z > 1.668) & (np.abs(x) < 0.07))
    if look.hair_style == "sidepart":
        return scalp | ((z > 1.72 - 0.45 * (x + 0.05)) & (z > 1.67))
    nape = (y > -0.01) & (z > 1.55)
    return scalp | nape


def _paint_hair_below_hat(look: Look, colors: Array, at: Array) -> None:
    if look.hair_style not in ("bald", "receding"):
        below = is_scalp(at)
        colors[below] = hair_colors(look, at[below])


def _hat_mask(look: Look, at: Array) -> Mask:
    low = {"helmet": 1.655, "hat": 1.69}.get(look.headwear, 1.67)
    return np.asarray(at[:, 2] > low - 0.35 * np.clip(at[:, 1] + 0.11, 0, 0.09))


def hair_colors(look: Look, at: Array) -> Array:
    """Returns the (P, 3) colours of hair with strands, highlights and curls."""
    x, y, z = at[:, 0], at[:, 1] + 0.06, at[:, 2]
    if look.hair_style in ("curly", "afro"):
        strands = 0.26 * weave(at, (330.0, 300.0), 2)
    else:
        strands = 0.13 * np.sin(np.arctan2(y, x) * 41 + 2 * np.sin(z * 60))
    sheen = 0.25 * np.exp(-(((z - 1.7) / 0.02) ** 2)) - 0.7 * np.clip(1.66 - z, 0, 0.35)
    factors = 1 + 0.95 * strands + sheen * (0.3 + 0.7 * look.texture)
    factors -= 0.3 * (np.abs(x - 0.035) < 0.004) * (look.hair_style == "sidepart") * (z > 1.7)
    colors = np.array(look.hair, dtype=np.float32) * factors[:, None].astype(np.float32)
    return np.asarray(np.clip(colors, 0, 255))


def _blend(colors: Array, share: Array, tone: Array) -> None:
    colors += (tone - colors) * share[:, None].astype(np.float32)


def _features(look: Look, colors: Array, at: Array, front: Mask) -> None:
    """Paints eyes, brows, nose, lips and cheeks with strength ``look.face``."""
    skin, strength = np.array(look.skin, dtype=np.float32), look.face * front
    side, z, x = np.abs(at[:, 0]) - EYE, at[:, 2], at[:, 0]
    socket = np.exp(-((side / 0.02) ** 2) - ((z - EYES) / 0.013) ** 2)
    _blend(colors, 0.5 * strength * socket, skin * np.array([0.6, 0.52, 0.5]))
    eye = (np.abs(side) < 0.015) & (np.abs(z - EYES) < 0.006)
    _blend(colors, 0.75 * strength * eye, np.array([200.0, 196.0, 190.0]))
    _blend(colors, 0.95 * strength * (eye & (np.abs(side) < 0.007)), np.array([36.0, 28.0, 24.0]))
    lid = (np.abs(side) < 0.017) & (np.abs(z - EYES - 0.0075) < 0.0028)
    _blend(colors, 0.7 * strength * lid, skin * 0.3)
    arch = BROWS + 0.004 - 14 * side**2
    brow = (np.abs(side) < 0.02) & (np.abs(z - arch) < 0.0042)
    dark = np.array(look.hair, dtype=np.float32) * 0.7 + 6
    _blend(colors, 0.8 * strength * brow, dark)
    nose = np.exp(-(((np.abs(x) - 0.014) / 0.006) ** 2)) * (z > NOSE - 0.01) * (z < EYES)
    _blend(colors, 0.3 * strength * nose, skin * 0.55)
    below = (np.abs(x) < 0.016) & (np.abs(z - NOSE + 0.012) < 0.005)
    _blend(colors, 0.5 * strength * below, skin * 0.45)
    lips = (np.abs(x) < 0.024) & (np.abs(z - MOUTH) < 0.007 - 6 * x**2)
    _blend(colors, 0.75 * strength * lips, skin * np.array([0.8, 0.48, 0.48]))
    _blend(colors, 0.5 * strength * (lips & (np.abs(z - MOUTH) < 0.0018)), skin * 0.3)
    cheek = np.exp(-(((side - 0.008) / 0.018) ** 2) - ((z - 1.59) / 0.016) ** 2)
    _blend(colors, 0.18 * strength * cheek, skin * np.array([1.0, 0.72, 0.7]))


def _beard(look: Look, colors: Array, at: Array) -> None:
    if look.beard == "none":
        return
    x, y, z = np.abs(at[:, 0]), at[:, 1], at[:, 2]
    moustache = (x < 0.03) & (np.abs(z - MOUTH - 0.014) < 0.006) & (y < -0.1)
    full = (z < 1.6 - 0.06 * np.clip(-0.1 - y, 0, 0.06) / 0.06 + 0.25 * x) & (y < -0.045)
    full &= ~((x < 0.022) & (np.abs(z - MOUTH) < 0.006))
    mask = moustache if look.beard == "moustache" else full | moustache
    share = 0.38 if look.beard == "stubble" else 0.85
    _blend(colors, share * look.face * mask, np.array(look.hair, dtype=np.float32) * 0.85)


def _glasses(look: Look, colors: Array, at: Array, front: Mask) -> None:
    side, y, z = np.abs(at[:, 0]) - EYE, at[:, 1], at[:, 2]
    radius = np.hypot(side / 1.15, (z - EYES) / 0.95)
    dark = np.array([26.0, 24.0, 24.0])
    if look.glasses == "sunglasses":
        _blend(colors, 0.94 * (front & (radius < 0.021)), dark)
    else:
        _blend(colors, 0.85 * (front & (np.abs(radius - 0.02) < 0.0028)), dark)
    bow = (np.abs(z - EYES - 0.004) < 0.004) & (y < -0.03) & (side > 0.02)
    bridge = front & (side < -0.012) & (np.abs(z - EYES - 0.003) < 0.003)
    _blend(colors, 0.85 * (bow | bridge), dark)
