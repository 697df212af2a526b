"""Parts of hair and headwear: long hair, the peak of a cap, the brim of a hat, a hood."""

from __future__ import annotations

import numpy as np

from apnet.synthetic.people.anatomy import body_attributes, plain_attributes
from apnet.synthetic.people.body import Array, RestBody, body_model
from apnet.synthetic.people.parts import (
    HAIR,
    HAT,
    TOP,
    Part,
    double_sided,
    grid_faces,
    joint_weights,
    rigid_part,
    superellipsoid,
)
from apnet.synthetic.people.wardrobe import Look

CURTAINS = {"bob": 0.35, "long": 1.0, "fringe": 0.85}
"""Length of loose hair, from 0.35 (chin) to 1 (below the shoulders)."""


def hair_parts(bare: RestBody, look: Look) -> list[Part]:
    """Returns hair that is not on the scalp: loose long hair, a bun, a ponytail or braids."""
    if look.headwear in ("hood", "scarf"):
        return []
    low, high = _head_box(bare)
    middle = (low + high) / 2
    if look.hair_style in CURTAINS:
        under_hat = look.headwear not in ("none", "helmet")
        top = float(high[2]) - (0.08 if under_hat else 0.02)
        return [_curtain(bare, middle, (top, CURTAINS[look.hair_style]))]
    knots = {
        "bun": [((0.0, 0.02, -0.08), (0.045, 0.05, 0.05))],
        "ponytail": [((0.0, 0.02, -0.2), (0.036, 0.04, 0.14))],
        "braids": [((side, 0.0, -0.27), (0.022, 0.026, 0.13)) for side in (-0.075, 0.075)],
    }
    result = []
    for (x, y, z), size in knots.get(look.hair_style, []):
        place = np.array([middle[0] + x, high[1] + y, high[2] + z])
        points, faces = superellipsoid(place, size, power=1.0)
        result.append(rigid_part(points, faces, "head", HAIR))
    return result


def _head_box(bare: RestBody) -> tuple[Array, Array]:
    head = bare.vertices[body_attributes()[:, 5] > 0.5]
    return head.min(0), head.max(0)


def _curtain(bare: RestBody, middle: Array, hangs: tuple[float, float]) -> Part:
    """Returns loose hair: a sheet around the back and sides of the head.

    ``hangs`` is its upper edge in metres and its length as in ``CURTAINS``.
    """
    rows, columns = 7, 19
    top, share = hangs
    shoulder = bare.joints[body_model().joint("upperarm.L"), 2] - 0.08
    end = top + (shoulder - top) * (0.45 + 0.55 * share)
    down, angle = np.meshgrid(
        np.linspace(0, 1, rows), np.linspace(-0.13 * np.pi, 1.13 * np.pi, columns), indexing="ij"
    )
    z = top + (end - top) * down
    below = np.clip((top - z) / 0.36, 0, 1)
    # Narrow at the crown, widest at the ears, narrower again at the shoulders.
    wide = 0.055 + 0.045 * np.sin(np.pi * np.minimum(1, 0.1 + 1.1 * below)) + 0.03 * below
    deep = wide + 0.012 + 0.004 * np.sin(9 * angle)
    points = np.stack(
        [middle[0] + wide * np.cos(angle), middle[1] + 0.012 + deep * np.sin(angle), z], axis=-1
    )
    points = points.reshape(-1, 3).astype(np.float32)  # (rows, columns, 3) -> (V, 3)
    follow = (np.clip(below - 0.4, 0, 1) * 1.2).ravel()
    weights = joint_weights({"head": 1 - follow, "chest": follow}, len(points))
    sheet = Part(
        points, grid_faces(rows, columns, closed=False), weights, plain_attributes(points), HAIR
    )
    return double_sided(sheet)


def hat_parts(bare: RestBody, look: Look) -> list[Part]:
    """Returns the peak of a cap or the brim of a hat; the crown is part of the body surface."""
    low, high = _head_box(bare)
    x = (low[0] + high[0]) / 2
    if look.headwear == "cap":
        place, size = np.array([x, low[1] - 0.01, high[2] - 0.07]), (0.07, 0.07, 0.008)
    elif look.headwear == "hat":
        place = np.array([x, (low[1] + high[1]) / 2, high[2] - 0.055])
        size = (0.15, 0.165, 0.007)
    else:
        return []
    points, faces = superellipsoid(place, size, power=0.8)
    return [rigid_part(points, faces, "head", HAT)]


def hood_parts(bare: RestBody, look: Look) -> list[Part]:
    """Returns the hood of a hoodie on the back, unless it is up."""
    if look.top != "hoodie" or look.headwear == "hood":
        return []
    neck = bare.joints[body_model().joint("neck")]
    place = neck + np.array([0.0, 0.075, -0.02])
    points, faces = superellipsoid(place, (0.1, 0.055, 0.075), power=0.8)
    part = rigid_part(points, faces, "chest", TOP)
    part.attributes[:, :3] = part.points - neck + np.array([0.0, 0.0, 1.47])
    part.attributes[:, 4] = -0.25
    part.attributes[:, 6] = np.clip(0.7 + (points[:, 2] - place[2]) * 4, 0.5, 1)
    return [part]
