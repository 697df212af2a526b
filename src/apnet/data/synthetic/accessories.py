"""What is worn or carried beside clothes: long hair, hats, bags."""

from __future__ import annotations

import dataclasses

import numpy as np

from apnet.data.synthetic.anatomy import body_attributes, plain_attributes
from apnet.data.synthetic.body import Array, RestBody, body_model
from apnet.data.synthetic.parts import (
    BAG,
    HAIR,
    HAT,
    Part,
    grid,
    lined,
    rigid,
    round_box,
    weights_of,
)
from apnet.data.synthetic.wardrobe import Look


def hair(bare: RestBody, look: Look) -> list[Part]:
    """Returns hair that stands off the head: a curtain, a bun or a ponytail."""
    if look.headwear in ("hood", "scarf") or look.hair_style in ("short", "cropped", "bald"):
        return []
    low, high = _head_box(bare)
    middle = (low + high) / 2
    if look.hair_style == "long":
        under_hat = look.headwear in ("cap", "beanie")
        return [_curtain(bare, middle, float(high[2]) - (0.08 if under_hat else 0.02))]
    bun = look.hair_style == "bun"
    size = (0.045, 0.05, 0.05) if bun else (0.036, 0.04, 0.14)
    place = np.array([middle[0], high[1] + 0.02, high[2] - (0.08 if bun else 0.2)])
    points, faces = round_box(place, size, power=1.0)
    return [rigid(points, faces, "head", HAIR)]


def _head_box(bare: RestBody) -> tuple[Array, Array]:
    head = bare.vertices[body_attributes()[:, 5] > 0.5]
    return head.min(0), head.max(0)


def _curtain(bare: RestBody, middle: Array, top: float) -> Part:
    """Long hair: a sheet round the back and sides of the head, down to the shoulders."""
    rows, columns = 7, 19
    shoulder = bare.joints[body_model().joint("upperarm.L"), 2] - 0.05
    down, angle = np.meshgrid(
        np.linspace(0, 1, rows), np.linspace(-0.13 * np.pi, 1.13 * np.pi, columns), indexing="ij"
    )
    # Narrow at the crown, widest at the ears, in again on the shoulders.
    wide = 0.055 + 0.045 * np.sin(np.pi * np.minimum(1, 0.1 + 1.1 * down)) + 0.03 * down
    deep = wide + 0.012 + 0.004 * np.sin(9 * angle)
    points = np.stack(
        [
            middle[0] + wide * np.cos(angle),
            middle[1] + 0.012 + deep * np.sin(angle),
            top + (shoulder - top) * down,
        ],
        axis=-1,
    )
    points = points.reshape(-1, 3).astype(np.float32)  # (rows, columns, 3) -> (V, 3)
    follow = (np.clip(down - 0.4, 0, 1) * 1.2).ravel()
    weights = weights_of({"head": 1 - follow, "chest": follow}, len(points))
    sheet = Part(points, grid(rows, columns, closed=False), weights, plain_attributes(points), HAIR)
    return lined(sheet)


def hat(bare: RestBody, look: Look) -> list[Part]:
    """Returns a cap's peak; the crown of hats is the head's own surface, moved out."""
    if look.headwear != "cap":
        return []
    low, high = _head_box(bare)
    place = np.array([(low[0] + high[0]) / 2, low[1] - 0.01, high[2] - 0.07])
    points, faces = round_box(place, (0.07, 0.07, 0.008), power=0.8)
    return [rigid(points, faces, "head", HAT)]


def bag(bare: RestBody, look: Look) -> list[Part]:
    """Returns a backpack, a shoulder bag at the hip, or a handbag."""
    model, attributes = body_model(), body_attributes()
    trunk = attributes[:, 3] < 0
    if look.bag == "backpack":
        back = bare.vertices[(np.abs(attributes[:, 2] - 1.25) < 0.1) & trunk]
        chest = bare.joints[model.joint("chest"), 2]
        place = np.array([0.0, back[:, 1].max() + 0.07, chest + 0.06])
        points, faces = round_box(place, (0.14, 0.08, 0.2))
        return [rigid(points, faces, "chest", BAG)]
    if look.bag == "shoulder":
        hips = bare.vertices[(np.abs(attributes[:, 2] - 0.93) < 0.06) & trunk]
        hip = bare.joints[model.joint("pelvis"), 2]
        points, faces = round_box(np.array([hips[:, 0].min() - 0.05, 0.0, hip]), (0.05, 0.14, 0.1))
        return [rigid(points, faces, "pelvis", BAG)]
    if look.bag == "handbag":
        wrist, elbow = (bare.joints[model.joint(f"{name}.L")] for name in ("hand", "lowerarm"))
        along = (wrist - elbow) / np.sqrt(((wrist - elbow) ** 2).sum())
        fingers = wrist + along * 0.12
        points, faces = round_box(fingers - np.array([0, 0, 0.11]), (0.05, 0.13, 0.12))
        held = rigid(points, faces, "hand.L", BAG)
        return [dataclasses.replace(held, hung_from=fingers)]
    return []
