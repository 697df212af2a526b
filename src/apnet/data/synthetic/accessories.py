"""Hair that stands off the head, a cap's peak, and bags."""

from __future__ import annotations

import numpy as np

from apnet.data.synthetic.anatomy import body_attributes
from apnet.data.synthetic.body import Array, RestBody, body_model
from apnet.data.synthetic.part import (
    BAG,
    HAIR,
    HAT,
    Part,
    plain_attributes,
    rigid,
    round_box,
    strip,
    two_sided,
    weights_of,
)
from apnet.data.synthetic.wardrobe import Look


def hair_parts(bare: RestBody, look: Look) -> list[Part]:
    """Long hair, a ponytail or a bun; other hair is painted on the scalp."""
    if look.headwear in ("hood", "scarf") or look.hair_style in ("short", "cropped", "bald"):
        return []
    low, high = _head_box(bare)
    middle: Array = (low + high) / 2
    if look.hair_style == "long":
        return [_curtain(bare, middle, high)]
    size = (0.045, 0.05, 0.05) if look.hair_style == "bun" else (0.04, 0.045, 0.13)
    drop = 0.02 if look.hair_style == "bun" else 0.13
    place = np.array([middle[0], high[1] + 0.025, high[2] - 0.06 - drop])
    return [rigid(*round_box(place, size, power=1.0), "head", HAIR)]


def _curtain(bare: RestBody, middle: Array, high: Array) -> Part:
    """Long hair: a sheet round the back and sides of the head, down to the shoulders."""
    rows, columns = 6, 15
    shoulder = bare.joints[body_model().joint("upperarm.L"), 2] - 0.04
    down, angle = np.meshgrid(
        np.linspace(0, 1, rows), np.linspace(-0.15 * np.pi, 1.15 * np.pi, columns), indexing="ij"
    )
    width, depth = 0.092 + 0.02 * down, 0.105 + 0.015 * down
    points = np.stack(
        [
            middle[0] + width * np.cos(angle),
            middle[1] + 0.01 + depth * np.sin(angle),
            (high[2] - 0.05) + (shoulder - high[2] + 0.05) * down,
        ],
        axis=-1,
    )
    points = points.reshape(-1, 3).astype(np.float32)  # (rows, columns, 3) -> (V, 3)
    follow = (down * 0.7).ravel().astype(np.float32)
    weights = weights_of({"head": 1 - follow, "chest": follow}, len(points))
    return two_sided(Part(points, strip(rows, columns), weights, plain_attributes(points), HAIR))


def hat_parts(bare: RestBody, look: Look) -> list[Part]:
    """The peak of a cap; its crown, like a beanie, is painted on the scalp."""
    if look.headwear != "cap":
        return []
    low, high = _head_box(bare)
    place = np.array([(low[0] + high[0]) / 2, low[1] - 0.015, high[2] - 0.075])
    return [rigid(*round_box(place, (0.07, 0.065, 0.009), power=0.8), "head", HAT)]


def _head_box(bare: RestBody) -> tuple[Array, Array]:
    head = bare.vertices[body_attributes()[:, 5] > 0.5]
    return head.min(0), head.max(0)


def bag_parts(bare: RestBody, look: Look) -> list[Part]:
    """A backpack, a bag at the right hip (its strap is painted), or one in the left hand."""
    makers = {"backpack": _backpack, "shoulder": _shoulder_bag, "handbag": _handbag}
    maker = makers.get(look.bag)
    return [] if maker is None else [maker(bare)]


def _backpack(bare: RestBody) -> Part:
    back = _trunk_near(bare, 1.2, 0.1)
    chest = bare.joints[body_model().joint("chest"), 2]
    place = np.array([0.0, back[:, 1].max() + 0.075, chest])
    return rigid(*round_box(place, (0.15, 0.085, 0.22)), "chest", BAG)


def _shoulder_bag(bare: RestBody) -> Part:
    hips = _trunk_near(bare, 0.93, 0.08)
    pelvis = bare.joints[body_model().joint("pelvis"), 2]
    place = np.array([hips[:, 0].min() - 0.05, 0.0, pelvis])
    return rigid(*round_box(place, (0.055, 0.15, 0.11)), "pelvis", BAG)


def _handbag(bare: RestBody) -> Part:
    """Hangs straight down from the fingers, however the arm swings."""
    model = body_model()
    wrist, elbow = (bare.joints[model.joint(name)] for name in ("hand.L", "lowerarm.L"))
    fingers = wrist + (wrist - elbow) / np.linalg.norm(wrist - elbow) * 0.12
    points, faces = round_box(fingers - np.array([0, 0, 0.12]), (0.06, 0.13, 0.13))
    return rigid(points, faces, "hand.L", BAG, hangs_from=fingers.astype(np.float32))


def _trunk_near(bare: RestBody, height: float, reach: float) -> Array:
    """Returns the vertices beside the arms whose place on the mean body is near a height."""
    attributes = body_attributes()
    near = np.abs(attributes[:, 2] - height) < reach
    beside: Array = bare.vertices[near & (attributes[:, 3] < 0)]
    return beside
