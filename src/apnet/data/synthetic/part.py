"""The pieces that a figure is put together from: triangle meshes with skinning weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.data.synthetic.body import Array, body_model

BODY, SKIRT, COAT, HAIR, HAT, BAG = range(6)
"""Kinds: which painter a face belongs to."""


@dataclass(frozen=True, eq=False)
class Part:
    """A piece of the figure in rest pose.

    Attributes:
        points: (V, 3) metres.
        faces: (F, 3) indices into ``points``, counter-clockwise seen from outside.
        weights: (V, J) skinning weights; rows add up to 1.
        attributes: (V, 6) what the painter reads (see ``figure``).
        kind: ``BODY`` to ``BAG``.
        hangs_from: (3,) rest point that carries the part without turning it; None: it is skinned.
    """

    points: Array
    faces: NDArray[np.int64]
    weights: Array
    attributes: Array
    kind: int
    hangs_from: Array | None = None


def rigid(
    points: Array,
    faces: NDArray[np.int64],
    joint: str,
    kind: int,
    hangs_from: Array | None = None,
) -> Part:
    """Returns a part that moves with one joint."""
    ones = np.ones(len(points), dtype=np.float32)
    weights = weights_of({joint: ones}, len(points))
    return Part(points, faces, weights, plain_attributes(points), kind, hangs_from)


def plain_attributes(points: Array) -> Array:
    """Returns (V, 6) attributes of points that belong to no limb."""
    attributes = np.full((len(points), 6), -0.25, dtype=np.float32)
    attributes[:, :3] = points
    attributes[:, 5] = 0
    return attributes


def weights_of(names: dict[str, Array], count: int) -> Array:
    """Returns (count, J) weights with the columns of the named joints filled."""
    model = body_model()
    weights = np.zeros((count, len(model.joints)), dtype=np.float32)
    for name, values in names.items():
        weights[:, model.joint(name)] = values
    return weights


def tube(rows: int, columns: int) -> NDArray[np.int64]:
    """Returns triangles of rings of vertices, outside out.

    Rings follow each other downwards; in a ring, vertices run counter-clockwise seen from above.
    """
    return _cells(rows, columns, np.arange(columns))


def strip(rows: int, columns: int) -> NDArray[np.int64]:
    """Returns triangles of a sheet whose rows run like those of ``tube`` but do not close."""
    return _cells(rows, columns, np.arange(columns - 1))


def _cells(rows: int, columns: int, across: NDArray[np.int64]) -> NDArray[np.int64]:
    row, column = (side.ravel() for side in np.meshgrid(np.arange(rows - 1), across, indexing="ij"))
    a, b = row * columns + column, row * columns + (column + 1) % columns
    c, d = a + columns, b + columns
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])


def two_sided(part: Part) -> Part:
    """Adds the inner side of a sheet, with vertices (and so normals) of its own."""
    inner = part.faces[:, ::-1] + len(part.points)
    return Part(
        np.tile(part.points, (2, 1)),
        np.concatenate([part.faces, inner]),
        np.tile(part.weights, (2, 1)),
        np.tile(part.attributes, (2, 1)),
        part.kind,
        part.hangs_from,
    )


def round_box(
    centre: Array, half: tuple[float, float, float], power: float = 0.5
) -> tuple[Array, NDArray[np.int64]]:
    """Returns points and faces of a superellipsoid.

    Args:
        centre: (3,) metres.
        half: half axes, metres.
        power: 1 is an ellipsoid, towards 0 a box.
    """
    rows, columns = 9, 14
    up, around = np.meshgrid(
        np.linspace(np.pi / 2, -np.pi / 2, rows),
        np.linspace(0, 2 * np.pi, columns, endpoint=False),
        indexing="ij",
    )
    across = bent(np.cos(up), power)
    unit = np.stack(
        [
            across * bent(np.cos(around), power),
            across * bent(np.sin(around), power),
            bent(np.sin(up), power),
        ],
        axis=-1,
    ).reshape(-1, 3)  # (rows, columns, 3) -> (rows * columns, 3)
    return (centre + unit * np.array(half)).astype(np.float32), tube(rows, columns)


def bent(value: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """Raises a cosine or sine to a power, keeping its sign: the superellipse."""
    result: NDArray[np.float64] = np.sign(value) * np.abs(value) ** power
    return result
