"""A dressed person as one mesh: the clothed body, and skirt, hair, hat, bag and prop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.synthetic.people.accessories import hair_parts, hat_parts, hood_parts
from apnet.synthetic.people.anatomy import body_attributes
from apnet.synthetic.people.bags import bag_parts
from apnet.synthetic.people.body import (
    Array,
    RestBody,
    body_model,
    joint_transforms,
    rest_body,
    skin,
)
from apnet.synthetic.people.garments import (
    clothed_vertices,
    clothed_weights,
    skirt_parts,
    visible_faces,
)
from apnet.synthetic.people.parts import BODY, PROP, Part
from apnet.synthetic.people.pose import Pose, joint_rotations
from apnet.synthetic.people.props import prop_parts
from apnet.synthetic.people.wardrobe import Look


@dataclass(frozen=True, eq=False)
class Figure:
    """A dressed person in rest pose.

    Attributes:
        look: appearance.
        body: the body without clothes, with the joints.
        points: (V, 3) metres.
        weights: (V, J) skinning weights.
        faces: (F, 3) vertex indices.
        kinds: (F,) kind of part of each face, see ``parts``.
        attributes: (V, 7), see ``anatomy``.
        hanging: ranges of points that stay upright, each with the (3,) rest point that it hangs
            from, and whether it stands on the ground.
        person_points: number of points of the person, including clothes and bags; the points of a
            prop follow them.
    """

    look: Look
    body: RestBody
    points: Array
    weights: Array
    faces: NDArray[np.int64]
    kinds: NDArray[np.int64]
    attributes: Array
    hanging: tuple[tuple[slice, Array, bool], ...]
    person_points: int

    def posed(self, pose: Pose) -> Array:
        """Returns the (V, 3) posed points, the lowest at z = 0."""
        transforms = joint_transforms(self.body, joint_rotations(self.body, pose))
        points = skin(self.points, self.weights, transforms)
        carried = np.ones(len(points), dtype=bool)
        for part, anchor, grounded in self.hanging:
            moved = skin(anchor[None], self.weights[part][:1], transforms)
            points[part] = self.points[part] + (moved - anchor)
            carried[part] = not grounded
        points[:, 2] -= points[carried, 2].min()
        for part, _, grounded in self.hanging:
            if grounded:
                points[part, 2] -= points[part, 2].min()
        return points


PART_BUILDERS = (skirt_parts, hair_parts, hat_parts, hood_parts, bag_parts, prop_parts)
"""Functions that return the parts of one kind for a look."""


def build_figure(look: Look) -> Figure:
    """Returns the figure of a look."""
    model = body_model()
    first = model.coefficients[look.body]
    second = model.coefficients[look.other_body]
    bare = rest_body(first * (1 - look.build) + second * look.build)
    surface = Part(
        clothed_vertices(bare, look),
        visible_faces(look),
        clothed_weights(look),
        body_attributes(),
        BODY,
    )
    parts = [surface, *(piece for make in PART_BUILDERS for piece in make(bare, look))]
    offsets = np.cumsum([0, *(len(part.points) for part in parts[:-1])])
    return Figure(
        look=look,
        body=bare,
        points=np.concatenate([part.points for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
        faces=np.concatenate(
            [part.faces + offset for part, offset in zip(parts, offsets, strict=True)]
        ),
        kinds=np.concatenate([np.full(len(part.faces), part.kind) for part in parts]),
        attributes=np.concatenate([part.attributes for part in parts]),
        hanging=tuple(
            (slice(offset, offset + len(part.points)), part.anchor, part.grounded)
            for part, offset in zip(parts, offsets, strict=True)
            if part.anchor is not None
        ),
        person_points=sum(len(part.points) for part in parts if part.kind != PROP),
    )
