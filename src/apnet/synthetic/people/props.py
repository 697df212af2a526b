"""Props that people hold, push or sit on, made of simple solids."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from apnet.synthetic.people.bags import grip_point
from apnet.synthetic.people.body import Array, RestBody, body_model
from apnet.synthetic.people.parts import (
    PROP,
    Part,
    double_sided,
    grid_faces,
    rigid_part,
    ring,
    superellipsoid,
    tube,
)
from apnet.synthetic.people.wardrobe import Look

OWN, RUBBER, METAL, PAPER, WOOD = range(5)
"""Tone of a piece, see ``paint.PROP_TONES``; ``OWN`` is the colour of the prop."""

Solid = tuple[Array, NDArray[np.int64]]
Piece = tuple[Solid, int]


def prop_parts(bare: RestBody, look: Look) -> list[Part]:
    """Returns the parts of the prop of a person."""
    maker = PROP_BUILDERS.get(look.prop)
    return [] if maker is None else maker(bare)


def _hanging_part(
    pieces: Sequence[Piece], joint: str, anchor: Array, *, grounded: bool = False
) -> Part:
    """Joins pieces into one part that stays upright relative to a rest point."""
    parts = []
    for (points, faces), tone in pieces:
        part = rigid_part(points.astype(np.float32), faces, joint, PROP)
        part.attributes[:, 3] = tone
        parts.append(part)
    offsets = np.cumsum([0, *(len(part.points) for part in parts[:-1])])
    return Part(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, offsets, strict=True)]),
        np.concatenate([part.weights for part in parts]),
        np.concatenate([part.attributes for part in parts]),
        PROP,
        anchor=anchor,
        grounded=grounded,
    )


def _box(centre: Array, half: tuple[float, float, float]) -> Solid:
    return superellipsoid(centre, half, power=0.25)


def _rod(start: Array, end: Array, radius: float) -> Solid:
    return tube(np.stack([start, end]), radius)


def _phone(bare: RestBody) -> list[Part]:
    points, faces = _box(grip_point(bare, "R"), (0.012, 0.04, 0.075))
    part = rigid_part(points, faces, "hand.R", PROP)
    part.attributes[:, 3] = RUBBER
    return [part]


def _umbrella(bare: RestBody) -> list[Part]:
    hand = grip_point(bare, "R")
    rows, columns = 5, 16
    out, angle = np.meshgrid(
        np.linspace(0.02, 1, rows), np.linspace(0, 2 * np.pi, columns, endpoint=False),
        indexing="ij",
    )  # fmt: skip
    reach = 0.54 * out * (1 - 0.04 * out * (np.cos(8 * angle) + 1))
    place = hand + np.array([0.08, 0.05, 0.72])
    points = np.stack(
        [reach * np.cos(angle), reach * np.sin(angle), -0.24 * out**2], axis=-1
    ).reshape(-1, 3)  # (rows, columns, 3) -> (V, 3)
    canopy = _hanging_part(
        [((place + points, grid_faces(rows, columns, closed=True)), OWN)], "hand.R", hand
    )
    canopy.attributes[:, 6] = np.where(np.cos(8 * angle.ravel()) > 0.8, 0.85, 1)
    stick = _hanging_part(
        [(_rod(place, hand - np.array([0, 0, 0.08]), 0.009), METAL)], "hand.R", hand
    )
    return [dataclasses.replace(double_sided(canopy), anchor=hand), stick]


def _suitcase(bare: RestBody) -> list[Part]:
    hand = grip_point(bare, "L")
    ground = np.array([hand[0], hand[1], 0.0])
    pieces = [
        (_box(ground + np.array([0, 0.3, 0.33]), (0.17, 0.11, 0.27)), OWN),
        (_rod(ground + np.array([0, 0.25, 0.55]), ground + np.array([0, 0, 0.78]), 0.011), METAL),
        (_box(ground + np.array([0.12, 0.33, 0.03]), (0.02, 0.03, 0.03)), RUBBER),
        (_box(ground + np.array([-0.12, 0.33, 0.03]), (0.02, 0.03, 0.03)), RUBBER),
    ]
    return [_hanging_part(pieces, "hand.L", hand, grounded=True)]


def _shopping(bare: RestBody) -> list[Part]:
    parts = []
    for side, tone in (("L", PAPER), ("R", OWN)):
        hand = grip_point(bare, side)
        body = superellipsoid(hand - np.array([0, 0, 0.26]), (0.06, 0.13, 0.17), power=0.6)
        loop = _rod(hand - np.array([0, 0, 0.12]), hand, 0.02)
        parts.append(_hanging_part([(body, tone), (loop, tone)], f"hand.{side}", hand))
    return parts


def _folder(bare: RestBody) -> list[Part]:
    hand = grip_point(bare, "L")
    points, faces = _box(hand + np.array([0.0, 0.0, 0.03]), (0.012, 0.12, 0.16))
    return [_hanging_part([((points, faces), OWN)], "hand.L", hand)]


def _hips(bare: RestBody) -> Array:
    hips = np.array(bare.joints[body_model().joint("pelvis")])
    hips[1] = 0.0
    return hips


def _pram(bare: RestBody) -> list[Part]:
    hips = _hips(bare)
    at = np.array([hips[0], -0.62, 0.0])
    pieces: list[Piece] = [
        (superellipsoid(at + np.array([0, -0.12, 0.6]), (0.21, 0.36, 0.15), power=0.7), OWN),
        (superellipsoid(at + np.array([0, -0.32, 0.8]), (0.2, 0.2, 0.2), power=0.9), OWN),
        (_rod(at + np.array([0.2, 0.26, 1.0]), at + np.array([-0.2, 0.26, 1.0]), 0.014), RUBBER),
    ]
    for x in (-0.2, 0.2):
        pieces.append((_rod(at + np.array([x, 0.26, 1.0]), at + np.array([x, -0.4, 0.15]), 0.012),
                       METAL))  # fmt: skip
        for y, radius in ((-0.42, 0.1), (0.18, 0.14)):
            wheel = ring(at + np.array([x, y, radius + 0.012]), radius, 0.014)
            pieces.append((wheel, RUBBER))
        pieces.append((_rod(at + np.array([x, -0.1, 0.5]), at + np.array([x, 0.18, 0.15]), 0.012),
                       METAL))  # fmt: skip
    return [_hanging_part(pieces, "pelvis", hips, grounded=True)]


def _bicycle(bare: RestBody) -> list[Part]:
    hips = _hips(bare)
    at = np.array([hips[0] + 0.42, -0.1, 0.0])
    rear, front, seat, pedals, head = (
        at + np.array([0, y, z])
        for y, z in ((0.5, 0.34), (-0.55, 0.34), (0.22, 0.86), (0.05, 0.3), (-0.36, 0.84))
    )
    pieces: list[Piece] = [
        (ring(rear, 0.325, 0.014), RUBBER),
        (ring(front, 0.325, 0.014), RUBBER),
        *(
            (_rod(start, end, 0.014), OWN)
            for start, end in (
                (rear, pedals), (pedals, seat), (pedals, head), (seat, head), (rear, seat),
                (head, front),
            )
        ),
        (_box(seat + np.array([0, 0, 0.05]), (0.06, 0.12, 0.03)), RUBBER),
        (_rod(head, head + np.array([0, 0.02, 0.12]), 0.014), METAL),
        (_rod(head + np.array([0.26, 0.06, 0.12]), head + np.array([-0.26, 0.06, 0.12]), 0.013),
         RUBBER),
    ]  # fmt: skip
    return [_hanging_part(pieces, "pelvis", hips, grounded=True)]


def _bench(bare: RestBody) -> list[Part]:
    hips = _hips(bare)
    model = body_model()
    shin = float(bare.joints[model.joint("lowerleg.L"), 2])
    at = np.array([hips[0], 0.02, shin - 0.1])
    pieces = [(_box(at, (0.75, 0.2, 0.025)), WOOD)]
    pieces += [(_box(at + np.array([0, 0.24, z]), (0.75, 0.015, 0.05)), WOOD) for z in (0.2, 0.36)]
    for x in (-0.62, 0.62):
        legs = at + np.array([x, 0.1, 0.0])
        pieces.append((_box(legs * np.array([1, 0.2, 0.5]), (0.02, 0.025, at[2] / 2)), RUBBER))
        pieces.append((_rod(legs, legs + np.array([0, 0.14, 0.42]), 0.02), RUBBER))
    return [_hanging_part(pieces, "pelvis", hips, grounded=True)]


PROP_BUILDERS: dict[str, Callable[[RestBody], list[Part]]] = {
    "phone": _phone,
    "call": _phone,
    "umbrella": _umbrella,
    "suitcase": _suitcase,
    "shopping": _shopping,
    "folder": _folder,
    "pram": _pram,
    "bicycle": _bicycle,
    "bench": _bench,
}
