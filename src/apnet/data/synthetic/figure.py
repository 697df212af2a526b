"""A dressed person as one mesh: body with garment shells, skirt, hair, hat and bag.

Every vertex carries *attributes* that the painter reads, in the mean body's proportions, so that
clothes sit alike on every build:

| column | meaning |
|---|---|
| 0-2 | x, y, z of the mean body's rest pose, metres |
| 3 | along the arm: 0 shoulder, 1 elbow, 2 wrist; negative elsewhere |
| 4 | along the leg: 0 hip, 1 knee, 2 ankle, more on the foot; negative elsewhere |
| 5 | 1 on the head |
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.data.synthetic.body import (
    Array,
    RestBody,
    body_model,
    joint_transforms,
    rest_body,
    skin,
    vertex_normals,
)
from apnet.data.synthetic.pose import Pose, joint_rotations
from apnet.data.synthetic.wardrobe import Look

BODY, SKIRT, HAIR, HAT, BAG = range(5)
"""Parts: which painter a face belongs to."""


@dataclass(frozen=True, eq=False)
class Part:
    """A piece of the figure in rest pose."""

    points: Array
    faces: NDArray[np.int64]
    weights: Array
    attributes: Array
    kind: int


@dataclass(frozen=True, eq=False)
class Figure:
    """A dressed person in rest pose; ``posed`` moves it."""

    body: RestBody
    parts: tuple[Part, ...]
    faces: NDArray[np.int64]
    kinds: NDArray[np.int64]
    attributes: Array

    def posed(self, pose: Pose) -> Array:
        """Returns the (V, 3) posed points, the lowest at z = 0."""
        transforms = joint_transforms(self.body, joint_rotations(self.body, pose))
        points = np.concatenate(
            [skin(part.points, part.weights, transforms) for part in self.parts]
        )
        points[:, 2] -= points[:, 2].min()
        return points


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


def dressed(look: Look) -> Figure:
    """Builds the figure of a look."""
    model = body_model()
    first = model.coefficients[look.body]
    second = model.coefficients[(look.body * 7 + 11) % len(model.coefficients)]
    bare = rest_body(first * (1 - look.build) + second * look.build)
    shell = Part(
        _shell(bare, look), model.faces, model.weights, body_attributes(), BODY
    )
    parts = [shell, *_skirt(bare, look), *_hair(bare, look), *_hat(bare, look), *_bag(bare, look)]
    offsets = np.cumsum([0, *(len(part.points) for part in parts[:-1])])
    return Figure(
        body=bare,
        parts=tuple(parts),
        faces=np.concatenate(
            [part.faces + offset for part, offset in zip(parts, offsets, strict=True)]
        ),
        kinds=np.concatenate([np.full(len(part.faces), part.kind) for part in parts]),
        attributes=np.concatenate([part.attributes for part in parts]),
    )


def _shell(bare: RestBody, look: Look) -> Array:
    """Moves the skin out to where cloth and hair are."""
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
    thickness = {"short": 0.016, "cropped": 0.006, "long": 0.02, "ponytail": 0.01, "bun": 0.01}
    covered = {"none": thickness.get(look.hair_style, 0.0), "hood": 0.03}.get(look.headwear, 0.018)
    offset[scalp] = covered * is_scalp(attributes[scalp])
    return bare.vertices + normals * offset[:, None]


def is_scalp(attributes: Array) -> Array:
    """Returns 1 where hair grows (or a hat sits) on head vertices or pixels, 0 on the face."""
    _, y, z = (attributes[:, column] for column in range(3))
    front, crown = _head_front(), _head_top()
    hairline = crown - 0.055 - 0.10 * np.clip((y - front) / 0.09 - 0.35, 0, 1)
    scalp: Array = (z > hairline).astype(np.float32)
    return scalp


@functools.cache
def _head_top() -> float:
    return float(body_attributes()[:, 2].max())


@functools.cache
def _head_front() -> float:
    attributes = body_attributes()
    return float(attributes[attributes[:, 5] > 0.5, 1].min()) + 0.02


def _weights_of(names: dict[str, Array], count: int) -> Array:
    model = body_model()
    weights = np.zeros((count, len(model.joints)), dtype=np.float32)
    for name, values in names.items():
        weights[:, model.joint(name)] = values
    return weights


def _grid(rows: int, columns: int, closed: bool) -> NDArray[np.int64]:
    """Returns triangles of a rows x columns vertex grid, both sides of the sheet."""
    across = columns if closed else columns - 1
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(across), indexing="ij")
    row, column = row.ravel(), column.ravel()
    after = (column + 1) % columns
    a, b = row * columns + column, row * columns + after
    c, d = a + columns, b + columns
    front = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    return np.concatenate([front, front[:, ::-1]])


def _round_box(centre: Array, half: tuple[float, float, float], power: float = 0.5) -> tuple[
    Array, NDArray[np.int64]
]:
    """Returns a superellipsoid: power 1 is an ellipsoid, towards 0 a box."""
    rows, columns = 9, 14
    up, around = np.meshgrid(
        np.linspace(-np.pi / 2, np.pi / 2, rows),
        np.linspace(0, 2 * np.pi, columns, endpoint=False),
        indexing="ij",
    )

    def bent(value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sign(value) * np.abs(value) ** power

    unit = np.stack(
        [bent(np.cos(up)) * bent(np.cos(around)), bent(np.cos(up)) * bent(np.sin(around)),
         bent(np.sin(up))],
        axis=-1,
    ).reshape(-1, 3)  # fmt: skip
    points = (centre + unit * np.array(half)).astype(np.float32)
    return points, _grid(rows, columns, closed=True)


def _skirt(bare: RestBody, look: Look) -> list[Part]:
    """A skirt, or the skirts of a coat: rings from the waist to the hem."""
    if look.bottom != "skirt" and look.top != "coat":
        return []
    attributes = body_attributes()
    model = body_model()
    hips = np.abs(attributes[:, 2] - 0.93) < 0.05
    hips &= attributes[:, 3] < 0
    ring = bare.vertices[hips]
    centre = (ring.max(0) + ring.min(0)) / 2
    half = (ring.max(0) - ring.min(0)) / 2 + np.array([0.012, 0.03, 0.0])
    knee = bare.joints[model.joint("lowerleg.L"), 2]
    hip = bare.joints[model.joint("upperleg.L"), 2]
    length = look.bottom_length if look.bottom == "skirt" else 0.75
    top, hem = hip + 0.1, hip + (knee - hip) * length
    rows, columns = 7, 24
    down, angle = np.meshgrid(
        np.linspace(0, 1, rows), np.linspace(0, 2 * np.pi, columns, endpoint=False), indexing="ij"
    )
    flare = 0.93 + 0.3 * down
    x = centre[0] + half[0] * flare * np.cos(angle)
    y = centre[1] + half[1] * flare * np.sin(angle)
    z = top + (hem - top) * down
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)
    follow = (down * 0.85).ravel()
    left = 1 / (1 + np.exp(-points[:, 0] / 0.04))
    weights = _weights_of(
        {
            "pelvis": 1 - follow,
            "upperleg.L": follow * left,
            "upperleg.R": follow * (1 - left),
        },
        len(points),
    )
    painted = np.zeros((len(points), 6), dtype=np.float32)
    painted[:, :3] = points
    painted[:, 4] = down.ravel()
    return [Part(points, _grid(rows, columns, closed=True), weights, painted, SKIRT)]


def _hair(bare: RestBody, look: Look) -> list[Part]:
    if look.headwear in ("hood", "scarf") or look.hair_style in ("short", "cropped", "bald"):
        return []
    head = bare.vertices[body_attributes()[:, 5] > 0.5]
    low, high = head.min(0), head.max(0)
    middle = (low + high) / 2
    if look.hair_style == "long":
        return [_curtain(bare, middle, high)]
    size = (0.045, 0.05, 0.05) if look.hair_style == "bun" else (0.04, 0.045, 0.13)
    drop = 0.02 if look.hair_style == "bun" else 0.13
    place = np.array([middle[0], high[1] + 0.025, high[2] - 0.06 - drop])
    points, faces = _round_box(place, size, power=1.0)
    return [_rigid(points, faces, "head", HAIR)]


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
    points = points.reshape(-1, 3).astype(np.float32)
    follow = (down * 0.7).ravel()
    weights = _weights_of({"head": 1 - follow, "chest": follow}, len(points))
    attributes = np.zeros((len(points), 6), dtype=np.float32)
    attributes[:, :3] = points
    return Part(points, _grid(rows, columns, closed=False), weights, attributes, HAIR)


def _hat(bare: RestBody, look: Look) -> list[Part]:
    if look.headwear != "cap":
        return []
    head = bare.vertices[body_attributes()[:, 5] > 0.5]
    low, high = head.min(0), head.max(0)
    place = np.array([(low[0] + high[0]) / 2, low[1] - 0.015, high[2] - 0.075])
    points, faces = _round_box(place, (0.07, 0.065, 0.009), power=0.8)
    return [_rigid(points, faces, "head", HAT)]


def _bag(bare: RestBody, look: Look) -> list[Part]:
    model = body_model()
    attributes = body_attributes()
    if look.bag == "backpack":
        back = bare.vertices[(np.abs(attributes[:, 2] - 1.2) < 0.1) & (attributes[:, 3] < 0)]
        place = np.array([0.0, back[:, 1].max() + 0.075, bare.joints[model.joint("chest"), 2]])
        points, faces = _round_box(place, (0.15, 0.085, 0.22))
        return [_rigid(points, faces, "chest", BAG)]
    if look.bag == "shoulder":
        hips = bare.vertices[(np.abs(attributes[:, 2] - 0.93) < 0.08) & (attributes[:, 3] < 0)]
        place = np.array([hips[:, 0].min() - 0.05, 0.0, bare.joints[model.joint("pelvis"), 2]])
        points, faces = _round_box(place, (0.055, 0.15, 0.11))
        return [_rigid(points, faces, "pelvis", BAG)]
    if look.bag == "handbag":
        wrist = bare.joints[model.joint("hand.L")]
        elbow = bare.joints[model.joint("lowerarm.L")]
        along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
        points, faces = _round_box(wrist + along * 0.27, (0.12, 0.06, 0.13))
        return [_rigid(points, faces, "hand.L", BAG)]
    return []


def _rigid(points: Array, faces: NDArray[np.int64], joint: str, kind: int) -> Part:
    attributes = np.zeros((len(points), 6), dtype=np.float32)
    attributes[:, :3] = points
    ones = np.ones(len(points), dtype=np.float32)
    return Part(points, faces, _weights_of({joint: ones}, len(points)), attributes, kind)
