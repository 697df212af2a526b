"""Cloth: the skin moved out to where it lies, and the hanging tubes of skirts and coats."""

from __future__ import annotations

import numpy as np

from apnet.data.synthetic.anatomy import body_attributes, is_scalp
from apnet.data.synthetic.body import Array, RestBody, body_model, vertex_normals
from apnet.data.synthetic.part import COAT, SKIRT, Part, bent, tube, two_sided
from apnet.data.synthetic.wardrobe import Look, coat_length

ROWS, COLUMNS = 9, 28


def shell(bare: RestBody, look: Look) -> Array:
    """Returns the (V, 3) body vertices moved out to where cloth and hair are."""
    attributes = body_attributes()
    normals = vertex_normals(bare.vertices, body_model().faces)
    arm, leg, head, z = (attributes[:, column] for column in (3, 4, 5, 2))
    offset = np.zeros(len(z), dtype=np.float32)
    loose = {"shirt": 0.008, "sweater": 0.014, "jacket": 0.022, "coat": 0.026}[look.top]
    torso = (head < 0.5) & (leg < 0.15) & (z > 0.86) & (z < 1.5) & (arm < 0)
    offset[torso] = loose
    sleeve = (arm >= 0) & (arm < look.sleeve)
    offset[sleeve] = loose * 0.8
    trousers = (leg >= 0) & (leg < look.bottom_length) & (look.bottom != "skirt")
    width = {"trousers": 0.008, "loose": 0.02, "shorts": 0.016, "skirt": 0.0}[look.bottom]
    offset[trousers] = width * (0.7 + 0.3 * np.minimum(leg[trousers], 2))
    offset[leg > 2.02] = 0.008
    scalp = head > 0.5
    offset[scalp] = _head_cover(look) * is_scalp(attributes[scalp])
    return bare.vertices + normals * offset[:, None]


def _head_cover(look: Look) -> float:
    if look.headwear == "none":
        thickness = {"short": 0.016, "cropped": 0.006, "long": 0.02, "ponytail": 0.01, "bun": 0.01}
        return thickness.get(look.hair_style, 0.0)
    return 0.03 if look.headwear == "hood" else 0.018


def hanging_parts(bare: RestBody, worn: Array, look: Look) -> list[Part]:
    """Returns a skirt, the lower part of a coat, both, or none.

    Args:
        bare: the body under them.
        worn: (V, 3) what ``shell`` returns: they hang outside of it.
        look: says which, and how long.
    """
    parts = []
    if look.bottom == "skirt":
        parts.append(_hanging(bare, worn, look.bottom_length, 0.006, SKIRT))
    if look.top == "coat":
        parts.append(_hanging(bare, worn, coat_length(look), 0.03, COAT))
    return parts


def _hanging(bare: RestBody, worn: Array, length: float, ease: float, kind: int) -> Part:
    """Rings from the waist (0.08 m above the hips) to ``length`` (1 is the knee)."""
    model = body_model()
    hip, knee = (bare.joints[model.joint(name), 2] for name in ("upperleg.L", "lowerleg.L"))
    levels = np.linspace(hip + 0.08, hip + (knee - hip) * length, ROWS)
    low, high = _extents(worn, levels)
    middle, half = (low + high) / 2, (high - low) / 2
    down, angle = np.meshgrid(
        np.linspace(0, 1, ROWS), np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False), indexing="ij"
    )
    flare = 1 + 0.1 * down
    loose = ease * (0.2 + 0.8 * np.minimum(1, 3 * down))
    points = np.stack(
        [
            middle[:, :1] + (half[:, :1] * flare + loose) * bent(np.cos(angle), 0.8),
            middle[:, 1:] + (half[:, 1:] * flare + loose) * bent(np.sin(angle), 0.8),
            np.broadcast_to(levels[:, None], down.shape),
        ],
        axis=-1,
    )
    points = points.reshape(-1, 3).astype(np.float32)  # (rows, columns, 3) -> (V, 3)
    painted = np.full((len(points), 6), -0.25, dtype=np.float32)
    painted[:, :3] = points
    painted[:, 2] = _mean_height(points[:, 2], hip, knee)
    painted[:, 4] = down.ravel()
    painted[:, 5] = 0
    weights = _weights_below(bare, points)
    return two_sided(Part(points, tube(ROWS, COLUMNS), weights, painted, kind))


def _extents(worn: Array, levels: Array) -> tuple[Array, Array]:
    """Returns (rows, 2) least and greatest x and y of the body at each level or above it."""
    beside_arms = worn[body_attributes()[:, 3] < 0]
    slices = [beside_arms[np.abs(beside_arms[:, 2] - level) < 0.05, :2] for level in levels]
    low = np.minimum.accumulate(np.stack([piece.min(0) for piece in slices]))
    high = np.maximum.accumulate(np.stack([piece.max(0) for piece in slices]))
    return low, high


def _mean_height(z: Array, hip: float, knee: float) -> Array:
    """Carries heights over to the mean body, whose proportions patterns are painted in."""
    model = body_model()
    joints = model.mean[model.vertex_count :]
    mean_hip, mean_knee = (joints[model.joint(f"{name}.L"), 2] for name in ("upperleg", "lowerleg"))
    height: Array = mean_hip + (z - hip) * (mean_hip - mean_knee) / (hip - knee)
    return height


def _weights_below(bare: RestBody, points: Array) -> Array:
    """Lets cloth follow the hips and thighs beneath it: a mean of near vertices' weights."""
    model = body_model()
    attributes = body_attributes()
    under = (attributes[:, 3] < 0) & (attributes[:, 2] < 1.15) & (attributes[:, 4] < 1.5)
    squared = ((points[:, None] - bare.vertices[under]) ** 2).sum(2)  # (V, 1, 3) - (U, 3) -> (V, U)
    near = np.exp(-(squared - squared.min(1, keepdims=True)) / 0.07**2)
    near /= near.sum(1, keepdims=True)
    weights: Array = np.einsum("vu,uj->vj", near, model.weights[under])  # see body.skin
    for side in "LR":  # cloth does not bend with the knee
        thigh = model.joint(f"upperleg.{side}")
        for name in ("lowerleg", "foot"):
            joint = model.joint(f"{name}.{side}")
            weights[:, thigh] += weights[:, joint]
            weights[:, joint] = 0
    return weights
