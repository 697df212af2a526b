"""Colours of legs and feet: denim, stripes, pockets, belts, socks, shoes and soles."""

from __future__ import annotations

import numpy as np

from apnet.synthetic.people.anatomy import WAIST, Mask
from apnet.synthetic.people.body import Array
from apnet.synthetic.people.cloth import weave
from apnet.synthetic.people.wardrobe import Look

DENIM = ("jeans", "flared")


def paint_legwear(look: Look, at: Array) -> Array:
    """Returns the (P, 3) colours of points on trousers, leggings, shorts or a skirt."""
    x, y, z, _, leg = at[:, :5].T
    colors = np.tile(np.array(look.bottom_color, dtype=np.float32), (len(at), 1))
    outer, across = _round_the_leg(x, y, leg)
    if look.leg_detail == "stripe":
        colors[outer & (np.abs(np.abs(across) - 0.012) < 0.008)] = look.leg_second
    if look.fade > 0:
        worn = _bump(leg, 0.45, 0.45) * (0.35 + 0.65 * (y < 0)) + 0.5 * _bump(leg, 1.02, 0.14)
        share = (0.42 * look.fade * worn * _bump(across, 0.0, 0.2))[:, None]
        colors += (np.array([168, 182, 200], dtype=np.float32) - colors) * share
    if look.texture > 0:
        colors *= _seams(look, at, outer & (np.abs(across) < 0.004))[:, None]
    belt = (z > 0.962) & (z < WAIST - 0.02) & (leg < 0.05)
    if look.bottom not in ("joggers", "leggings", "skirt") and look.tucked:
        colors[belt] = look.belt
        colors[belt & (np.abs(x) < 0.02) & (y < 0)] = (176, 170, 150)
    return colors.astype(np.float32)


def _round_the_leg(x: Array, y: Array, leg: Array) -> tuple[Mask, Array]:
    """Returns which points are on the outer side of a leg, and the distance to the side seam."""
    knots = [0.0, 1.0, 2.0]
    axis = np.interp(leg, knots, [0.114, 0.146, 0.189])
    middle = np.interp(leg, knots, [0.0, -0.037, -0.004])
    return (np.abs(x) > axis) & (leg > -0.2), np.asarray(y - middle)


def _bump(value: Array, middle: float, width: float) -> Array:
    return np.asarray(np.clip(1 - ((value - middle) / width) ** 2, 0, 1))


def _seams(look: Look, at: Array, seam: Mask) -> Array:
    """Returns (P,) brightness factors of the weave, the hem, seams and pockets."""
    x, y, z, _, leg = at[:, :5].T
    strength = look.texture
    denim = look.bottom in DENIM
    grain, coarse = (0.075, 0.06) if denim else (0.03, 0.035)
    factors = 1 + strength * (
        grain * weave(at, (230.0, 230.0), 1) + coarse * weave(at, (40.0, 60.0), 4)
    )
    factors[seam] *= 1 - 0.3 * strength
    if look.bottom not in ("skirt", "leggings"):
        factors[(leg > look.bottom_length - 0.05) & (leg > 0)] *= 1 - 0.18 * strength
        back = (y > 0.03) & (np.abs(np.abs(x) - 0.085) < 0.05) & (np.abs(z - 0.885) < 0.06)
        rim = back & ((np.abs(np.abs(x) - 0.085) > 0.043) | (z > 0.938) | (z < 0.832))
        slit = (y < 0) & (np.abs(np.abs(x) - 0.165 + 0.9 * (z - 0.87)) < 0.005) & (z > 0.87)
        fly = (y < 0) & (np.abs(x) < 0.004) & (z > 0.86) & (z < 0.97)
        factors[(rim if denim else back & (np.abs(z - 0.92) < 0.006)) | slit | fly] *= (
            1 - 0.35 * strength
        )
    if look.leg_detail == "cargo":
        place = (np.abs(leg - 0.72) < 0.16) & (np.abs(x) > 0.15)
        factors[place] *= 1 - 0.12 * strength
        factors[place & (np.abs(leg - 0.6) < 0.03)] *= 1 - 0.35 * strength
    return np.asarray(factors)


def paint_feet(look: Look, colors: Array, at: Array) -> None:
    """Paints socks and shoes on the (P, 3) colours of the body, in place."""
    y, z, leg = at[:, 1], at[:, 2], at[:, 4]
    ankle = {"boots": 1.72, "heels": 2.1, "sandals": 2.0}.get(look.footwear, 1.97)
    if look.bottom_length > 1.5 and look.footwear != "heels":
        ankle = max(ankle, 2.0 if look.footwear != "boots" else look.bottom_length)
    if look.footwear in ("sneakers", "shoes") and look.bottom != "skirt":
        socks = (leg > 1.84) & (leg < ankle) & (leg >= look.bottom_length)
        colors[socks] = np.array(look.shoes) * 0.25 + (150 if look.fade > 0.5 else 40)
    shoes = leg > ankle
    if look.footwear == "heels":
        shoes &= (z < 0.045) | (y > -0.02)
    if look.footwear == "sandals":
        shoes &= (z < 0.03) | (np.sin(y * 90) > 0.3)
    colors[shoes] = look.shoes
    if look.footwear == "sneakers":
        light = sum(look.shoes) < 600
        colors[shoes & (z < 0.026)] = (214, 212, 206) if light else (150, 150, 150)
        stripe = shoes & (np.abs(np.sin((y + z) * 75)) < 0.3) & (z > 0.035) & (y < 0.02)
        colors[stripe] = colors[stripe] * 0.6 + (80 if light else 20)
    else:
        colors[shoes & (z < 0.016)] = (26, 24, 24)
