"""Attributes of each vertex: its location on the mean body, which garments refer to.

Every vertex has the seven attributes below. They are interpolated to pixels, so that clothes fit
bodies of any shape in the same way.

| column | meaning |
|---|---|
| 0-2 | x, y, z in the rest pose of the mean body, metres |
| 3 | along the arm: 0 shoulder, 1 elbow, 2 wrist; negative elsewhere |
| 4 | along the leg: 0 hip, 1 knee, 2 ankle, more on the foot; negative elsewhere |
| 5 | 1 on the head |
| 6 | ambient light, 0 to 1: 1 in the open, less in armpits, between the legs, below the chin |
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from apnet.synthetic.people.body import Array, body_model, vertex_normals

Mask = NDArray[np.bool_]

COLUMNS = 7
ARM = ("upperarm", "lowerarm", "hand")
LEG = ("upperleg", "lowerleg", "foot")

WAIST, CHEST, NECK, CROWN = 1.02, 1.30, 1.505, 1.80
"""Heights on the mean body in metres."""

ELSEWHERE = -0.25
"""Value of columns 3 and 4 away from the limb."""


@functools.cache
def body_attributes() -> Array:
    """Returns the (V, 7) attributes of the body's vertices."""
    model = body_model()
    mean = model.mean[: model.vertex_count]
    joints = model.mean[model.vertex_count :]
    result = np.full((model.vertex_count, COLUMNS), ELSEWHERE, dtype=np.float32)
    result[:, :3] = mean
    for column, chain in ((3, ARM), (4, LEG)):
        for side in "LR":
            places = [model.joint(f"{name}.{side}") for name in chain]
            limb = limb_mask(chain, side)
            result[limb, column] = _along(mean[limb], joints[places])
    result[:, 5] = (model.weights[:, model.joint("head")] > 0.5).astype(np.float32)
    result[:, 6] = _openness(result, vertex_normals(mean, model.faces))
    return result


def _openness(at: Array, normals: Array) -> Array:
    """Returns (V,) ambient light: 1 in the open, less where another part of the body is close."""
    x, y, z, arm, leg, _, _ = at.T
    inwards = -normals[:, 0] * np.sign(x)
    shade = np.zeros(len(at))
    thigh = (leg >= 0) & (leg < 1.9)
    shade += thigh * np.clip(inwards, 0, 1) * np.clip(0.62 - 0.25 * leg, 0, 1)
    shade += (arm >= 0) * np.clip(-normals[:, 2], 0, 1) * np.clip(0.5 - 0.18 * arm, 0, 1)
    side = (arm < 0) & (z > 0.95) & (z < 1.4)
    shade += side * np.clip(-inwards, 0, 1) ** 2 * np.clip((z - 0.9) * 0.9, 0, 0.42)
    chin = np.exp(-(((z - 1.5) / 0.035) ** 2)) * (arm < 0) * np.clip(0.6 - normals[:, 2], 0, 1)
    shade += 0.5 * chin * (y < 0.02)
    shade += 0.3 * np.exp(-(((z - 0.86) / 0.05) ** 2)) * np.exp(-((x / 0.05) ** 2))
    openness: Array = (1 - np.clip(shade, 0, 0.6)).astype(np.float32)
    return openness


@functools.cache
def limb_mask(chain: tuple[str, ...], side: str) -> Mask:
    """Returns the (V,) mask of vertices with more skinning weight on a limb than on the rest."""
    model = body_model()
    places = [model.joint(f"{name}.{side}") for name in chain]
    return np.asarray(model.weights[:, places].sum(1) > 0.5)


def plain_attributes(points: Array) -> Array:
    """Returns the (V, 7) attributes of (V, 3) points that are not on the body: position only."""
    attributes = np.full((len(points), COLUMNS), ELSEWHERE, dtype=np.float32)
    attributes[:, :3] = points
    attributes[:, 6] = 1
    return attributes


def covered_by_top(attributes: Array, hem: float) -> Mask:
    """Returns which points the trunk of a top covers, from its hem to the base of the neck."""
    z, arm, leg, head = (attributes[:, column] for column in (2, 3, 4, 5))
    return np.asarray((head < 0.5) & (arm < 0) & (leg < 0.42) & (z > hem) & (z < NECK + 0.1))


def is_scalp(attributes: Array) -> Mask:
    """Returns which points of the head hair or a hat covers; never the face."""
    front, crown = _head_limits()
    backwards = np.clip((attributes[:, 1] - front) / 0.1 - 0.3, 0, 1)
    return np.asarray(attributes[:, 2] > crown - 0.05 - 0.125 * backwards)


@functools.cache
def _head_limits() -> tuple[float, float]:
    """Returns y of the face and z of the crown in metres."""
    head = body_attributes()[body_attributes()[:, 5] > 0.5]
    return float(head[:, 1].min()) + 0.02, float(head[:, 2].max())


def _along(points: Array, chain: Array) -> Array:
    """Returns the position along a limb: 0 to 1 on its first bone, 1 to 2 on the second."""
    first, second = chain[1] - chain[0], chain[2] - chain[1]
    upper = (points - chain[0]) @ first / (first @ first)
    lower = (points - chain[1]) @ second / (second @ second)
    along: Array = np.where(upper < 1, np.maximum(upper, 0), 1 + np.maximum(lower, 0))
    return along
