"""Parts of a figure, and the basic shapes that they are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.synthetic.people.anatomy import plain_attributes
from apnet.synthetic.people.body import Array, body_model

BODY, SKIRT, HAIR, HAT, BAG, TOP, PROP = range(7)
"""Kinds of parts; each kind has its own painter, see ``paint``."""


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a figure in rest pose.

    Attributes:
        points: (V, 3) metres.
        faces: (F, 3) vertex indices, counter-clockwise seen from outside.
        weights: (V, J) skinning weights.
        attributes: (V, 7), see ``anatomy``.
        kind: one of the kinds above.
        anchor: (3,) rest point that the part hangs from while it stays upright; None: the part is
            skinned.
        grounded: whether a part with an anchor stands on the ground.
    """

    points: Array
    faces: NDArray[np.int64]
    weights: Array
    attributes: Array
    kind: int
    anchor: Array | None = None
    grounded: bool = False


def joint_weights(shares: dict[str, Array], count: int) -> Array:
    """Returns (count, J) skinning weights from (count,) weights by joint name."""
    model = body_model()
    weights = np.zeros((count, len(model.joints)), dtype=np.float32)
    for name, values in shares.items():
        weights[:, model.joint(name)] = values
    return weights


def rigid_part(points: Array, faces: NDArray[np.int64], joint: str, kind: int) -> Part:
    """Returns a part that moves with one joint; attribute 4 is 0 at its bottom, 1 at its top."""
    ones = np.ones(len(points), dtype=np.float32)
    weights = joint_weights({joint: ones}, len(points))
    attributes = plain_attributes(points)
    low, high = points[:, 2].min(), points[:, 2].max()
    attributes[:, 4] = (points[:, 2] - low) / (high - low)
    return Part(points, faces, weights, attributes, kind)


def grid_faces(rows: int, columns: int, *, closed: bool) -> NDArray[np.int64]:
    """Returns the (F, 3) triangles of a rows x columns vertex grid.

    They face outwards if rows run downwards and columns counter-clockwise, seen from above.
    """
    across = columns if closed else columns - 1
    row, column = np.divmod(np.arange((rows - 1) * across), across)
    after = (column + 1) % columns
    a, b = row * columns + column, row * columns + after
    c, d = a + columns, b + columns
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])


def double_sided(part: Part) -> Part:
    """Returns a sheet with an additional inner side, so that it is visible from both sides."""
    inner = part.faces[:, ::-1] + len(part.points)
    lining = part.attributes.copy()
    lining[:, 6] *= 0.55
    return Part(
        np.concatenate([part.points, part.points]),
        np.concatenate([part.faces, inner]),
        np.concatenate([part.weights, part.weights]),
        np.concatenate([part.attributes, lining]),
        part.kind,
    )


def superellipsoid(
    centre: Array, half: tuple[float, float, float], power: float = 0.5
) -> tuple[Array, NDArray[np.int64]]:
    """Returns points and faces of a superellipsoid: an ellipsoid at power 1, a box towards 0."""
    rows, columns = 9, 14
    up, around = np.meshgrid(
        np.linspace(np.pi / 2, -np.pi / 2, rows),
        np.linspace(0, 2 * np.pi, columns, endpoint=False),
        indexing="ij",
    )

    def bent(value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.sign(value) * np.abs(value) ** power)

    unit = np.stack(
        [
            bent(np.cos(up)) * bent(np.cos(around)),
            bent(np.cos(up)) * bent(np.sin(around)),
            bent(np.sin(up)),
        ],
        axis=-1,
    ).reshape(-1, 3)  # (rows, columns, 3) -> (V, 3)
    points = (centre + unit * np.array(half)).astype(np.float32)
    return points, grid_faces(rows, columns, closed=True)


def tube(path: Array, radius: float) -> tuple[Array, NDArray[np.int64]]:
    """Returns points and faces of a thin square tube along an (N, 3) path."""
    ahead = np.gradient(path, axis=0)
    ahead /= np.maximum(np.sqrt((ahead**2).sum(1, keepdims=True)), 1e-9)
    aside = np.cross(ahead, np.where(np.abs(ahead[:, :1]) < 0.9, [[1.0, 0, 0]], [[0, 1.0, 0]]))
    aside /= np.maximum(np.sqrt((aside**2).sum(1, keepdims=True)), 1e-9)
    above = np.cross(aside, ahead)
    corners = [aside, -above, -aside, above]
    points = np.stack([path + radius * corner for corner in corners], axis=1)
    faces = grid_faces(len(path), 4, closed=True)
    return points.reshape(-1, 3).astype(np.float32), faces  # (N, 4, 3) -> (V, 3)


def ring(centre: Array, radius: float, thick: float) -> tuple[Array, NDArray[np.int64]]:
    """Returns points and faces of the rim of a wheel in the plane of y and z."""
    angle = np.linspace(0, 2 * np.pi, 17)
    path = np.stack([np.zeros(17), radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return tube(centre + path, thick)
