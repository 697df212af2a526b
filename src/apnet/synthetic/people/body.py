"""Parametric body: shape from a short vector, pose by linear blend skinning.

Coordinates are metres: x to the person's left, y backwards (the face points to -y), z up, feet at
z = 0.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class BodyModel:
    """The body model, read from ``body.npz``.

    Attributes:
        faces: (F, 3) vertex indices, counter-clockwise seen from outside.
        weights: (V, J) skinning weights; each row sums to 1.
        mean: (V + J, 3) mean rest vertices and joints.
        components: (K, V + J, 3) principal components of body shape.
        coefficients: (B, K) shape vectors of B sampled bodies.
        joints: J joint names; parents come before their children.
        parents: (J,) index of each joint's parent, -1 at the root.
    """

    faces: NDArray[np.int64]
    weights: Array
    mean: Array
    components: Array
    coefficients: Array
    joints: tuple[str, ...]
    parents: tuple[int, ...]

    @property
    def vertex_count(self) -> int:
        """Number of vertices V."""
        return len(self.weights)

    def joint(self, name: str) -> int:
        """Returns the index of a joint."""
        return self.joints.index(name)


@dataclass(frozen=True, eq=False)
class RestBody:
    """The body of one person in rest pose: (V, 3) vertices and (J, 3) joints in metres."""

    vertices: Array
    joints: Array

    @property
    def height(self) -> float:
        """Body height in metres."""
        return float(self.vertices[:, 2].max())


@functools.cache
def body_model() -> BodyModel:
    """Returns the body model that ``tools/build_body.py`` made; reads it once per process."""
    with (
        resources.files("apnet.synthetic.people").joinpath("body.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        weights = arrays["weights"].astype(np.float32)
        return BodyModel(
            faces=arrays["faces"].astype(np.int64),
            weights=weights / weights.sum(1, keepdims=True),
            mean=arrays["mean"].astype(np.float32),
            components=arrays["components"].astype(np.float32),
            coefficients=arrays["coefficients"].astype(np.float32),
            joints=tuple(str(name) for name in arrays["joints"]),
            parents=tuple(int(parent) for parent in arrays["parents"]),
        )


def rest_body(coefficients: Array) -> RestBody:
    """Returns the rest body of a (K,) shape vector."""
    model = body_model()
    points = model.mean + np.einsum("k,kvc->vc", coefficients, model.components)
    return RestBody(points[: model.vertex_count], points[model.vertex_count :])


def joint_transforms(body: RestBody, rotations: dict[str, Array]) -> Array:
    """Returns (J, 3, 4) transforms from rest points to posed points.

    Args:
        body: whose joints are used.
        rotations: (3, 3) rotation about each named joint, in the axes of the rest pose; the other
            joints are not rotated.
    """
    model = body_model()
    transforms = np.zeros((len(model.joints), 3, 4), dtype=np.float32)
    for index, name in enumerate(model.joints):
        turn = rotations.get(name, np.eye(3, dtype=np.float32))
        centre = body.joints[index]
        local = np.concatenate([turn, (centre - turn @ centre)[:, None]], axis=1)
        parent = model.parents[index]
        if parent >= 0:
            above = transforms[parent]
            local = np.concatenate(
                [above[:, :3] @ local[:, :3], above[:, :3] @ local[:, 3:] + above[:, 3:]], axis=1
            )
        transforms[index] = local
    return transforms


def skin(points: Array, weights: Array, transforms: Array) -> Array:
    """Returns (V, 3) rest points moved by (J, 3, 4) transforms with (V, J) weights."""
    blended = (weights @ transforms.reshape(len(transforms), 12)).reshape(-1, 3, 4)
    moved: Array = np.einsum("vij,vj->vi", blended[:, :, :3], points) + blended[:, :, 3]
    return moved


def vertex_normals(points: Array, faces: NDArray[np.int64]) -> Array:
    """Returns (V, 3) unit normals: area-weighted means over the faces of each vertex."""
    corners = points[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat = faces.ravel()
    summed = np.stack(
        [
            np.bincount(flat, np.repeat(normals[:, axis], 3), minlength=len(points))
            for axis in range(3)
        ],
        axis=1,
    ).astype(np.float32)
    length = np.sqrt((summed**2).sum(1, keepdims=True))
    return np.asarray(summed / np.maximum(length, 1e-12))
