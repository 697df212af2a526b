"""Colours of the visible points of a figure before lighting: cloth, skin, hair, bags, props."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from apnet.synthetic.people.anatomy import NECK, WAIST, Mask, covered_by_top
from apnet.synthetic.people.body import Array
from apnet.synthetic.people.fit import hem_height, skirt_belongs_to_top
from apnet.synthetic.people.paint_head import hair_colors, paint_head
from apnet.synthetic.people.paint_legs import paint_feet, paint_legwear
from apnet.synthetic.people.paint_top import neckline, paint_top
from apnet.synthetic.people.palette import Color
from apnet.synthetic.people.parts import BAG, BODY, HAIR, HAT, PROP, SKIRT, TOP
from apnet.synthetic.people.wardrobe import Look


def paint(look: Look, kinds: NDArray[np.int64], attributes: Array) -> Array:
    """Returns the (P, 3) colours, 0 to 255, of points with (P,) kinds and (P, 7) attributes."""
    colors = np.zeros((len(kinds), 3), dtype=np.float32)
    for kind, painter in PAINTERS.items():
        place = np.flatnonzero(kinds == kind)
        if len(place):
            colors[place] = painter(look, attributes[place])
    if look.texture > 0:
        colors *= (1 - look.texture * (1 - attributes[:, 6:])).astype(np.float32)
    return np.clip(colors, 0, 255)


def is_cloth(look: Look, kinds: NDArray[np.int64], attributes: Array) -> Mask:
    """Returns which of (P,) points are cloth with folds, not skin, shoes, hair or bags."""
    z, arm, leg, head = attributes[:, 2:6].T
    reach = 0.3 if look.bottom == "skirt" else look.bottom_length
    body = (head < 0.5) & (arm < look.sleeve) & (leg < reach) & (z < NECK)
    return np.asarray((kinds == SKIRT) | (kinds == TOP) | ((kinds == BODY) & body))


def _body(look: Look, at: Array) -> Array:
    colors = _filled(look.skin, len(at))
    z, arm, leg, head = at[:, 2], at[:, 3], at[:, 4], at[:, 5]
    hem = hem_height(look)
    reach = 0.3 if look.bottom == "skirt" else look.bottom_length
    top_edge = neckline(look, at)
    torso = covered_by_top(at, hem) & (z < top_edge)
    worn = torso | ((arm >= 0) & (arm < look.sleeve))
    legs = np.flatnonzero((head < 0.5) & (arm < 0) & (z < WAIST) & (leg < reach) & ~worn)
    paint_feet(look, colors, at)
    colors[legs] = paint_legwear(look, at[legs])
    place = np.flatnonzero(worn)
    colors[place] = paint_top(look, at[place])
    if look.texture > 0:
        _shadows(look, colors, at, (hem, top_edge))
    _straps(look, colors, at, torso)
    paint_head(look, colors, at)
    return colors


def _shadows(look: Look, colors: Array, at: Array, limits: tuple[float, Array]) -> None:
    """Darkens the edges of cloth, in place: the trousers below the hem, the collar."""
    z, arm = at[:, 2], at[:, 3]
    below = (limits[0] - z) / 0.035
    trunk = (arm < 0) & (at[:, 4] < 0.42)
    shade = 0.35 * np.clip(1 - below, 0, 1) * (below > 0) * trunk
    if skirt_belongs_to_top(look):
        shade[:] = 0
    shade += 0.25 * (np.abs(arm - look.sleeve - 0.05) < 0.05)
    shade += 0.25 * (np.abs(z - limits[1] + 0.008) < 0.008) * (arm < 0)
    colors *= (1 - look.texture * shade[:, None]).astype(np.float32)


def _straps(look: Look, colors: Array, at: Array, torso: Mask) -> None:
    x, y, z = at[:, 0], at[:, 1], at[:, 2]
    if look.bag == "backpack":
        strap = torso & (np.abs(np.abs(x) - 0.1) < 0.02) & (z > 1.12) & ((y < 0.02) | (z > 1.4))
    elif look.bag == "shoulder":
        strap = torso & (np.abs(x + 0.135) < 0.014) & (z > 1.0) & (np.abs(z - 1.2) < 0.3)
    elif look.bag == "crossbody":
        strap = torso & (np.abs((x - 0.1) * 0.8 - (z - 1.45) * 0.55) < 0.016)
    else:
        return
    colors[strap] = np.array(look.bag_color) * 0.75


def _skirt(look: Look, at: Array) -> Array:
    if skirt_belongs_to_top(look):
        return paint_top(look, at)
    pleats = 1 + 0.1 * look.texture * np.sin(np.arctan2(at[:, 1], at[:, 0]) * 14) * at[:, 4]
    colors: Array = paint_legwear(look, at) * pleats[:, None].astype(np.float32)
    return colors


def _hat(look: Look, at: Array) -> Array:
    return _filled(look.headwear_color, len(at)) * np.float32(0.85)


def _bag(look: Look, at: Array) -> Array:
    colors = _filled(look.bag_color, len(at))
    height = at[:, 4]
    colors[height < 0.5] *= 0.88
    colors[np.abs(height - 0.5) < 0.02] *= 0.6  # edge of the pocket
    colors[(np.abs(height - 0.78) < 0.012)] *= 0.6
    return colors


def _prop(look: Look, at: Array) -> Array:
    tones = np.array([look.prop_color, *PROP_TONES], dtype=np.float32)
    return tones[np.clip(np.rint(at[:, 3]), 0, len(tones) - 1).astype(np.int64)]


PROP_TONES: tuple[Color, ...] = ((30, 30, 32), (150, 152, 155), (226, 226, 224), (120, 84, 54))
"""Rubber, metal, paper and wood: tones 1 to 4 in attribute 3 of a prop; 0 is ``prop_color``."""

PAINTERS: dict[int, Callable[[Look, Array], Array]] = {
    BODY: _body,
    SKIRT: _skirt,
    HAIR: hair_colors,
    HAT: _hat,
    BAG: _bag,
    TOP: paint_top,
    PROP: _prop,
}


def _filled(color: Color, count: int) -> Array:
    return np.tile(np.array(color, dtype=np.float32), (count, 1))
