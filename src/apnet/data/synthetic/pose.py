"""Gait and standing: joint rotations in the rest pose's axes (see ``body``)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.data.synthetic.body import Array, RestBody, body_model


@dataclass(frozen=True)
class Pose:
    """How a person stands or walks at one moment."""

    phase: float
    """Of the gait cycle, radians."""
    stride: float
    """Amplitude of the thighs' swing, radians; 0 stands."""
    bend: float
    """Bend of the elbows, radians."""
    spread: float
    """Angle of the hanging arms from the vertical, radians."""
    lean: float
    """Forward lean of the trunk, radians."""
    head_turn: float
    """To the side, radians."""
    phone: bool
    """Whether the right hand is held up in front."""


def draw_pose(rng: np.random.Generator) -> Pose:
    """Draws a walking pose, or a standing one now and then."""
    standing = rng.random() < 0.2
    return Pose(
        phase=float(rng.uniform(0, 2 * np.pi)),
        stride=float(rng.uniform(0.02, 0.08) if standing else rng.uniform(0.28, 0.55)),
        bend=float(rng.uniform(0.05, 0.4)),
        spread=float(rng.uniform(0.05, 0.16)),
        lean=float(rng.normal(0.04, 0.03)),
        head_turn=float(rng.normal(0, 0.3)),
        phone=bool(rng.random() < 0.08),
    )


def joint_rotations(body: RestBody, pose: Pose) -> dict[str, Array]:
    """Returns the rotation of every joint that leaves the rest pose."""
    swing = np.sin(pose.phase) * pose.stride
    lift = np.cos(pose.phase)
    rotations = {
        "upperleg.L": _about(0, -swing - 0.03),
        "upperleg.R": _about(0, swing - 0.03),
        "lowerleg.L": _about(0, 0.08 + pose.stride * 1.5 * max(0.0, lift) ** 2),
        "lowerleg.R": _about(0, 0.08 + pose.stride * 1.5 * max(0.0, -lift) ** 2),
        "foot.L": _about(0, swing * 0.4),
        "foot.R": _about(0, -swing * 0.4),
        "belly": _about(0, pose.lean) @ _about(2, swing * 0.15),
        "chest": _about(2, -swing * 0.3),
        "head": _about(2, pose.head_turn),
    }
    for side, sign in (("L", 1.0), ("R", -1.0)):
        hang = _turning(_arm_direction(body, side), np.array([sign * np.sin(pose.spread), 0, -1]))
        raised = pose.phone and side == "R"
        forward = -0.45 if raised else sign * swing * 0.8
        rotations[f"upperarm.{side}"] = _about(0, forward) @ hang
        bend = 1.9 if raised else pose.bend + 0.3 * max(0.0, -sign * swing)
        # The elbow bends about the body's x axis, seen from the arm's own rest direction.
        rotations[f"lowerarm.{side}"] = hang.T @ _about(0, -bend) @ hang
    return rotations


def _arm_direction(body: RestBody, side: str) -> NDArray[np.floating]:
    model = body_model()
    shoulder, wrist = (body.joints[model.joint(f"{name}.{side}")] for name in ("upperarm", "hand"))
    return np.asarray(wrist - shoulder, dtype=np.float64)


def _about(axis: int, angle: float) -> Array:
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    turn = np.eye(3, dtype=np.float32)
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
    return turn


def _turning(start: NDArray[np.floating], end: NDArray[np.floating]) -> Array:
    """Returns the rotation that carries one direction to another (Rodrigues)."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis, cosine = np.cross(a, b), float(a @ b)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn: Array = (np.eye(3) + cross + cross @ cross / (1 + cosine)).astype(np.float32)
    return turn
