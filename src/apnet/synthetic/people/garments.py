"""Geometry of clothes: the surface of the body moved outwards, and skirts.

Below the chest, a top hangs from the outline of the chest; trouser legs and sleeves have a least
radius around the bone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from apnet.synthetic.people.anatomy import (
    ARM,
    LEG,
    Mask,
    body_attributes,
    covered_by_top,
    is_scalp,
    limb_mask,
    plain_attributes,
)
from apnet.synthetic.people.body import Array, RestBody, body_model, vertex_normals
from apnet.synthetic.people.cloth import weave
from apnet.synthetic.people.fit import (
    EASE,
    HAIR_DEPTH,
    HEM_WIDTH,
    LEG_EASE,
    LEG_RADIUS,
    SLEEVE_RADIUS,
    has_skirt,
    hem_height,
    skirt_length,
)
from apnet.synthetic.people.parts import SKIRT, Part, double_sided, grid_faces
from apnet.synthetic.people.wardrobe import Look

SOLE = 0.014
"""Thickness of soles in metres."""

HIP_SHARE = 0.65
"""Share of the skinning weight at the hem of a top that is moved from the thighs to the hips."""


def clothed_vertices(bare: RestBody, look: Look) -> Array:
    """Returns the (V, 3) rest vertices of the body, moved outwards to cloth, hair and shoes."""
    attributes = body_attributes()
    normals = vertex_normals(bare.vertices, body_model().faces)
    points = bare.vertices + normals * _cloth_offset(look, attributes)[:, None]
    scale = bare.height / 1.75
    for side in "LR":
        sleeve = limb_mask(ARM, side) & (attributes[:, 3] < look.sleeve)
        radius = SLEEVE_RADIUS[look.top] * scale
        _widen_limb(points, bare, ARM, side, sleeve, (radius, radius * 0.9))
        trouser = limb_mask(LEG, side) & (attributes[:, 4] < look.bottom_length)
        trouser &= attributes[:, 4] > 0.25
        knee, ankle = LEG_RADIUS[look.bottom]
        _widen_limb(points, bare, LEG, side, trouser, (knee * scale, ankle * scale))
    _drape_top(points, attributes, look)
    points[(attributes[:, 4] > 2) & (attributes[:, 2] < 0.03), 2] -= SOLE
    return points


def clothed_weights(look: Look) -> Array:
    """Returns the (V, J) skinning weights of the body; the hem of a top mostly follows the hips."""
    model, attributes = body_model(), body_attributes()
    held = covered_by_top(attributes, hem_height(look)) & (attributes[:, 4] >= 0)
    weights = model.weights.copy()
    weights[held] *= 1 - HIP_SHARE
    weights[held, model.joint("pelvis")] += HIP_SHARE
    return weights


def visible_faces(look: Look) -> NDArray[np.int64]:
    """Returns the (F, 3) faces of the body, without those that a skirt hides."""
    faces, leg = body_model().faces, body_attributes()[:, 4]
    if not has_skirt(look):
        return faces
    hidden = (leg > 0.02) & (leg < skirt_length(look) - 0.06)
    kept: NDArray[np.int64] = faces[~hidden[faces].all(1)]
    return kept


def _cloth_offset(look: Look, attributes: Array) -> Array:
    """Returns the (V,) distance of cloth from the skin along the normal in metres."""
    z, arm, leg, head = (attributes[:, column] for column in (2, 3, 4, 5))
    offset = np.zeros(len(z), dtype=np.float32)
    offset[(leg >= 0) & (leg < look.bottom_length)] = LEG_EASE[look.bottom]
    offset[covered_by_top(attributes, hem_height(look)) & (z < 1.5)] = EASE[look.top]
    offset[(arm >= 0) & (arm < look.sleeve)] = EASE[look.top] * 0.8
    offset[leg > 2.02] = 0.01
    crown = (head > 0.5) & is_scalp(attributes)
    offset[crown] = _scalp_offset(look, attributes[crown])
    return offset


def _scalp_offset(look: Look, at: Array) -> Array:
    """Returns the (P,) distance of hair or headwear from the head in metres."""
    depth = {"none": HAIR_DEPTH[look.hair_style], "hood": 0.03, "helmet": 0.035}
    metres = np.full(len(at), depth.get(look.headwear, 0.018))
    if look.headwear == "none" and look.hair_style == "sidepart":
        metres += 0.012 * np.clip(-at[:, 0] / 0.05, -1, 1)
    if look.headwear == "none" and look.hair_style in ("curly", "afro"):
        metres *= 1 + 0.3 * weave(at, (140.0, 120.0), 2)
    return metres


def _widen_limb(
    points: Array,
    bare: RestBody,
    chain: tuple[str, ...],
    side: str,
    worn: Mask,
    radii: tuple[float, float],
) -> None:
    """Moves the clothed vertices of a limb to at least a radius from its bones, in place.

    The first radius applies at the middle joint and the second at the last joint, in metres.
    """
    model = body_model()
    joints = [bare.joints[model.joint(f"{name}.{side}")] for name in chain]
    along = body_attributes()[:, 3 if chain is ARM else 4]
    for number in (0, 1):
        place = np.flatnonzero(worn & (along >= number) & (along < number + 1))
        start, bone = joints[number], joints[number + 1] - joints[number]
        share = np.clip((points[place] - start) @ bone / (bone @ bone), 0, 1)
        axis = start + share[:, None] * bone
        outward = points[place] - axis
        length = np.maximum(np.sqrt((outward**2).sum(1)), 1e-4)
        radius = np.interp(along[place], [1.0, 2.0], radii)
        points[place] = axis + outward * np.maximum(1, radius / length)[:, None]


def _drape_top(points: Array, attributes: Array, look: Look) -> None:
    """Makes a top hang: it is nowhere narrower than the outlines of chest and hips allow."""
    worn = np.flatnonzero(covered_by_top(attributes, hem_height(look)) & (attributes[:, 2] < 1.42))
    middle = float(points[worn, 1].min() + points[worn, 1].max()) / 2
    x, y, z = points[worn, 0], points[worn, 1] - middle, attributes[worn, 2]
    radius = np.maximum(np.hypot(x, y), 1e-4)
    bearing = np.arctan2(y, x)
    chest = _trunk_outline(bearing, radius, z > 1.2)
    least = chest(bearing) * HEM_WIDTH[look.top] * np.clip((1.22 - z) / 0.12, 0, 1)
    if HEM_WIDTH[look.top] > 0 and not look.tucked:
        hips = _trunk_outline(bearing, radius, z < 0.99)
        least = np.maximum(least, 0.97 * hips(bearing) * np.clip((1.0 - z) / 0.05, 0, 1))
    widening = np.maximum(1, least / radius)
    points[worn, 0] = x * widening
    points[worn, 1] = y * widening + middle


def _trunk_outline(bearing: Array, radius: Array, level: Mask) -> Callable[[Array], Array]:
    """Returns the largest radius of a slice of the trunk as a smooth function of the angle."""
    bins = 24
    sector = ((bearing / (2 * np.pi) + 0.5) * bins).astype(np.int64) % bins
    outline = np.zeros(bins, dtype=np.float64)
    np.maximum.at(outline, sector[level], radius[level])
    outline = (np.roll(outline, 1) + 2 * outline + np.roll(outline, -1)) / 4
    centres = (np.arange(-1, bins + 1) + 0.5) / bins * 2 * np.pi - np.pi
    around = outline[np.arange(-1, bins + 1) % bins]
    return lambda angle: np.asarray(np.interp(angle, centres, around))


def skirt_parts(bare: RestBody, look: Look) -> list[Part]:
    """Returns the skirt, or the lower part of a coat, as rings from the waist to the hem."""
    if not has_skirt(look):
        return []
    model, attributes = body_model(), body_attributes()
    ring = bare.vertices[(np.abs(attributes[:, 2] - 0.93) < 0.05) & (attributes[:, 3] < 0)]
    centre, half = (ring.max(0) + ring.min(0)) / 2, (ring.max(0) - ring.min(0)) / 2
    over = look.top == "coat"  # a coat is worn over the hips, a skirt below the top
    half += np.array([0.03, 0.04, 0.0] if over else [0.014, 0.015, 0.0], dtype=np.float32)
    knee = bare.joints[model.joint("lowerleg.L"), 2]
    hip = bare.joints[model.joint("upperleg.L"), 2]
    rows, columns = 9, 28
    down, angle = np.meshgrid(
        np.linspace(0, 1, rows), np.linspace(0, 2 * np.pi, columns, endpoint=False), indexing="ij"
    )
    top = hip + (0.02 if over else 0.05)
    z = top + (hip + (knee - hip) * skirt_length(look) - top) * down
    tucked = 0.0 if over else 0.14
    widening = 0.24 if over else 0.16 + look.flare
    flare = 1 + widening * down - tucked * np.clip((z - hip + 0.08) / 0.05, 0, 1)
    flare *= 1 + 0.16 * widening * down * np.sin(7 * angle)
    x, y = centre[0] + half[0] * flare * np.cos(angle), centre[1] + half[1] * flare * np.sin(angle)
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3)  # (rows, columns, 3) -> (V, 3)
    points = points.astype(np.float32)
    weights = _skirt_weights(bare, points)
    skirt_attributes = plain_attributes(points)
    skirt_attributes[:, 4] = down.ravel()
    skirt_attributes[:, 6] = 1 - 0.12 * down.ravel()
    return [
        double_sided(
            Part(points, grid_faces(rows, columns, closed=True), weights, skirt_attributes, SKIRT)
        )
    ]


def _skirt_weights(bare: RestBody, points: Array) -> Array:
    """Returns (V, J) weights of a skirt: means over the nearby vertices of hips and thighs."""
    model, attributes = body_model(), body_attributes()
    beneath = (attributes[:, 3] < 0) & (attributes[:, 2] < 1.15) & (attributes[:, 4] < 1.5)
    squared = sum(
        (points[:, None, axis] - bare.vertices[None, beneath, axis]) ** 2 for axis in range(3)
    )  # (V, B)
    near = np.exp((np.min(squared, axis=1, keepdims=True) - squared) / 0.07**2)
    near /= near.sum(1, keepdims=True)
    weights = np.einsum("vb,bj->vj", near, model.weights[beneath])
    for side in "LR":  # a skirt does not bend with the knee
        thigh = model.joint(f"upperleg.{side}")
        for name in ("lowerleg", "foot"):
            joint = model.joint(f"{name}.{side}")
            weights[:, thigh] += weights[:, joint]
            weights[:, joint] = 0
    return np.asarray(weights)
