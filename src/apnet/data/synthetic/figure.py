"""A dressed person as one mesh: body with garment shells, skirt, coat, hair, hat and bag.

Every vertex carries *attributes* that the painter reads, in the mean body's proportions, so that
clothes sit alike on every build:

| column | meaning |
|---|---|
| 0-2 | x, y, z of the mean body's rest pose, metres |
| 3 | along the arm: 0 shoulder, 1 elbow, 2 wrist; negative elsewhere |
| 4 | along the leg: 0 hip, 1 knee, 2 ankle, more on the foot; negative elsewhere |
| 5 | 1 on the head |

On skirts and coats, column 4 runs from 0 at the waist to 1 at the hem.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.data.synthetic.accessories import bag_parts, hair_parts, hat_parts
from apnet.data.synthetic.anatomy import body_attributes
from apnet.data.synthetic.body import (
    Array,
    RestBody,
    body_model,
    joint_transforms,
    rest_body,
    skin,
)
from apnet.data.synthetic.garments import hanging_parts, shell
from apnet.data.synthetic.part import BODY, Part
from apnet.data.synthetic.pose import Pose, joint_rotations
from apnet.data.synthetic.wardrobe import Look


@dataclass(frozen=True, eq=False)
class Figure:
    """A dressed person in rest pose; ``posed`` moves it.

    Attributes:
        body: the bare body, whose joints the pose turns.
        parts: the meshes, the body's first.
        faces: (F, 3) of all parts, indices into their points in order.
        kinds: (F,) the kind of each face's part.
        attributes: (V, 6) of all parts' points.
    """

    body: RestBody
    parts: tuple[Part, ...]
    faces: NDArray[np.int64]
    kinds: NDArray[np.int64]
    attributes: Array

    def posed(self, pose: Pose) -> Array:
        """Returns the (V, 3) posed points, the lowest at z = 0."""
        transforms = joint_transforms(self.body, joint_rotations(self.body, pose))
        points = np.concatenate([_moved(part, transforms) for part in self.parts])
        points[:, 2] -= points[:, 2].min()
        return points


def _moved(part: Part, transforms: Array) -> Array:
    if part.hangs_from is None:
        return skin(part.points, part.weights, transforms)
    carried = skin(part.hangs_from[None], part.weights[:1], transforms)
    return part.points + (carried - part.hangs_from)


def dressed(look: Look) -> Figure:
    """Builds the figure of a look."""
    model = body_model()
    first = model.coefficients[look.body]
    second = model.coefficients[(look.body * 7 + 11) % len(model.coefficients)]
    bare = rest_body(first * (1 - look.build) + second * look.build)
    worn = shell(bare, look)
    parts = (
        Part(worn, model.faces, model.weights, body_attributes(), BODY),
        *hanging_parts(bare, worn, look),
        *hair_parts(bare, look),
        *hat_parts(bare, look),
        *bag_parts(bare, look),
    )
    offsets = np.cumsum([0, *(len(part.points) for part in parts[:-1])])
    return Figure(
        body=bare,
        parts=parts,
        faces=np.concatenate(
            [part.faces + offset for part, offset in zip(parts, offsets, strict=True)]
        ),
        kinds=np.concatenate([np.full(len(part.faces), part.kind) for part in parts]),
        attributes=np.concatenate([part.attributes for part in parts]),
    )
