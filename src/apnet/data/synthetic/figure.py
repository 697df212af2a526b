"""A dressed person as one mesh: the body moved out to cloth, skirt, hair, hat and bag."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.data.synthetic.accessories import bag, hair, hat
from apnet.data.synthetic.anatomy import body_attributes
from apnet.data.synthetic.body import (
    Array,
    RestBody,
    body_model,
    joint_transforms,
    rest_body,
    skin,
)
from apnet.data.synthetic.garments import clothed, seen_faces, skirts, worn_weights
from apnet.data.synthetic.parts import BODY, Part
from apnet.data.synthetic.pose import Pose, joint_rotations
from apnet.data.synthetic.wardrobe import Look


@dataclass(frozen=True, eq=False)
class Figure:
    """A dressed person in rest pose; ``posed`` moves it.

    Attributes:
        look: what it wears.
        body: the bare body, which gives the joints.
        points: (V, 3) metres.
        weights: (V, J) skinning weights.
        faces: (F, 3) vertex indices.
        kinds: (F,) kind of part, see ``parts``.
        attributes: (V, 6), see ``anatomy``.
        hung: ranges of points that stay upright, each with the (3,) rest point that carries it.
    """

    look: Look
    body: RestBody
    points: Array
    weights: Array
    faces: NDArray[np.int64]
    kinds: NDArray[np.int64]
    attributes: Array
    hung: tuple[tuple[slice, Array], ...]

    def posed(self, pose: Pose) -> Array:
        """Returns the (V, 3) posed points, the lowest at z = 0."""
        transforms = joint_transforms(self.body, joint_rotations(self.body, pose))
        points = skin(self.points, self.weights, transforms)
        for part, anchor in self.hung:
            carried = skin(anchor[None], self.weights[part][:1], transforms)
            points[part] = self.points[part] + (carried - anchor)
        points[:, 2] -= points[:, 2].min()
        return points


def dressed(look: Look) -> Figure:
    """Builds the figure of a look."""
    model = body_model()
    first = model.coefficients[look.body]
    second = model.coefficients[look.other_body]
    bare = rest_body(first * (1 - look.build) + second * look.build)
    surface = Part(
        clothed(bare, look), seen_faces(look), worn_weights(look), body_attributes(), BODY
    )
    parts = [surface, *skirts(bare, look), *hair(bare, look), *hat(bare, look), *bag(bare, look)]
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
        hung=tuple(
            (slice(offset, offset + len(part.points)), part.hung_from)
            for part, offset in zip(parts, offsets, strict=True)
            if part.hung_from is not None
        ),
    )
