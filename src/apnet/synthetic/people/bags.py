"""Bags on the back, at the hip or in the hand."""

from __future__ import annotations

import dataclasses

import numpy as np

from apnet.synthetic.people.anatomy import body_attributes
from apnet.synthetic.people.body import Array, RestBody, body_model
from apnet.synthetic.people.parts import BAG, Part, rigid_part, superellipsoid
from apnet.synthetic.people.wardrobe import Look


def bag_parts(bare: RestBody, look: Look) -> list[Part]:
    """Returns a backpack, a bag with a strap at the hip, a handbag, or no part."""
    model, attributes = body_model(), body_attributes()
    trunk = attributes[:, 3] < 0
    if look.bag == "backpack":
        back = bare.vertices[(np.abs(attributes[:, 2] - 1.25) < 0.1) & trunk]
        chest = bare.joints[model.joint("chest"), 2]
        place = np.array([0.0, back[:, 1].max() + 0.07, chest + 0.06])
        points, faces = superellipsoid(place, (0.14, 0.08, 0.2))
        return [rigid_part(points, faces, "chest", BAG)]
    if look.bag in ("shoulder", "crossbody"):
        hips = bare.vertices[(np.abs(attributes[:, 2] - 0.93) < 0.06) & trunk]
        hip = bare.joints[model.joint("pelvis"), 2] + (0.06 if look.bag == "shoulder" else 0)
        place = np.array([hips[:, 0].min() - 0.05, 0.0, hip])
        points, faces = superellipsoid(place, (0.042, 0.12, 0.09))
        return [rigid_part(points, faces, "pelvis", BAG)]
    if look.bag == "handbag":
        fingers = grip_point(bare, "L")
        points, faces = superellipsoid(fingers - np.array([0, 0, 0.11]), (0.045, 0.12, 0.1))
        held = rigid_part(points, faces, "hand.L", BAG)
        return [dataclasses.replace(held, anchor=fingers)]
    return []


def grip_point(bare: RestBody, side: str) -> Array:
    """Returns the (3,) rest point that a closed hand holds; ``side`` is ``L`` or ``R``."""
    model = body_model()
    wrist, elbow = (bare.joints[model.joint(f"{name}.{side}")] for name in ("hand", "lowerarm"))
    along = (wrist - elbow) / np.sqrt(((wrist - elbow) ** 2).sum())
    return np.asarray(wrist + along * 0.12)
