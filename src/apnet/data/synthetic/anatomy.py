"""Where on the mean body a vertex lies; ``figure`` explains the columns."""

from __future__ import annotations

import functools

import numpy as np

from apnet.data.synthetic.body import Array, body_model


@functools.cache
def body_attributes() -> Array:
    """Returns the (V, 6) attributes of the body's vertices."""
    model = body_model()
    mean = model.mean[: model.vertex_count]
    joints = model.mean[model.vertex_count :]
    result = np.full((model.vertex_count, 6), -0.25, dtype=np.float32)
    result[:, :3] = mean
    for column, chain in (
        (3, ("upperarm", "lowerarm", "hand")),
        (4, ("upperleg", "lowerleg", "foot")),
    ):
        for side in "LR":
            places = [model.joint(f"{name}.{side}") for name in chain]
            owned = model.weights[:, places].sum(1) > 0.5
            result[owned, column] = _along(mean[owned], joints[places])
    result[:, 5] = (model.weights[:, model.joint("head")] > 0.5).astype(np.float32)
    return result


def _along(points: Array, chain: Array) -> Array:
    """Returns 0..1 on the first bone, 1..2 on the second, 2 and more beyond the last joint."""
    first, second = chain[1] - chain[0], chain[2] - chain[1]
    upper = (points - chain[0]) @ first / (first @ first)
    lower = (points - chain[1]) @ second / (second @ second)
    along: Array = np.where(upper < 1, np.maximum(upper, 0), 1 + np.maximum(lower, 0))
    return along


def is_scalp(attributes: Array) -> Array:
    """Returns 1 where hair grows (or a hat sits) on head vertices or pixels, 0 on the face."""
    y, z = attributes[:, 1], attributes[:, 2]
    hairline = head_top() - 0.055 - 0.10 * np.clip((y - _head_front()) / 0.09 - 0.35, 0, 1)
    scalp: Array = (z > hairline).astype(np.float32)
    return scalp


@functools.cache
def head_top() -> float:
    """Returns the height of the mean body's crown, metres."""
    return float(body_attributes()[:, 2].max())


@functools.cache
def _head_front() -> float:
    attributes = body_attributes()
    return float(attributes[attributes[:, 5] > 0.5, 1].min()) + 0.02
