"""Poses of walking, standing and sitting people, as joint rotations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.synthetic.people.body import Array, RestBody, body_model
from apnet.synthetic.people.wardrobe import Look

STANDING = 0.2
"""Share of images in which a person stands."""

SHOULDER_DROP = 0.1
"""Angle by which the shoulders of hanging arms are lower than in the rest pose, radians."""


@dataclass(frozen=True)
class Pose:
    """The pose of a person in one image."""

    phase: float
    """Phase of the gait cycle, radians."""
    stride: float
    """Amplitude of the swing of the thighs, radians; 0: standing."""
    bend: float
    """Bend of the elbows, radians."""
    spread: float
    """Angle of the hanging arms from the vertical, radians."""
    lean: float
    """Forward lean of the trunk, radians."""
    head_turn: float
    """Turn of the head to the side, radians."""
    arms: str = "swing"
    """Pose of the arms, a key of ``ARMS``; with ``swing`` both arms hang and swing."""
    arm_swing: float = 0.8
    """Swing of the arms relative to that of the thighs."""
    toes: float = 0.0
    """Outward rotation of the feet, radians."""
    sway: float = 0.0
    """Roll of the hips, radians."""
    head_tilt: float = 0.0
    """Forward tilt of the head, radians; positive: looking down."""
    sits: bool = False


@dataclass(frozen=True)
class Arm:
    """Pose of an arm that does not swing; angles in radians."""

    forward: float
    spread: float
    bend: float
    inward: float = 0.0
    """Rotation of the forearm from forwards towards the middle of the body."""


ARMS: dict[str, dict[str, Arm]] = {
    "swing": {},
    "phone": {"R": Arm(0.45, 0.1, 1.7, 0.5)},
    "call": {"R": Arm(1.15, 0.1, 2.3, 0.35)},
    "umbrella": {"R": Arm(0.35, 0.1, 1.75, 0.35)},
    "suitcase": {"L": Arm(-0.35, 0.22, 0.1)},
    "shopping": {"L": Arm(0.0, 0.12, 0.1), "R": Arm(0.0, 0.12, 0.1)},
    "folder": {"L": Arm(0.1, 0.14, 1.35, 0.7)},
    "pram": {"L": Arm(0.45, 0.1, 0.75), "R": Arm(0.45, 0.1, 0.75)},
    "bicycle": {"L": Arm(0.55, 0.3, 0.45)},
    "bench": {"L": Arm(0.35, 0.15, 0.8, 0.35), "R": Arm(0.35, 0.15, 0.8, 0.35)},
    "handbag": {"L": Arm(0.0, 0.16, 0.12)},
    "pockets": {"L": Arm(-0.3, 0.3, 0.75, 0.5), "R": Arm(-0.3, 0.3, 0.75, 0.5)},
    "crossed": {"L": Arm(0.35, 0.12, 1.45, 1.45), "R": Arm(0.3, 0.12, 1.6, 1.5)},
    "hip": {"R": Arm(-0.35, 0.85, 1.5, 1.1)},
    "strap": {"R": Arm(0.2, 0.2, 2.2, 0.75)},
}
"""Arm poses by name (a prop, a bag or a habit) and side, L or R."""


def draw_pose(rng: np.random.Generator, look: Look) -> Pose:
    """Draws a pose: walking with the gait of the person, standing, or sitting on a bench."""
    standing = bool(rng.random() < STANDING) and look.prop not in ("pram", "bicycle")
    stride = float(rng.uniform(0.02, 0.08) if standing else look.stride * rng.uniform(0.8, 1.15))
    sits = look.prop == "bench"
    arms = _draw_arms(rng, look, standing)
    return Pose(
        phase=float(rng.uniform(0, 2 * np.pi)),
        stride=0.03 if sits else stride,
        bend=float(max(0.03, look.elbow + rng.normal(0, 0.07))),
        spread=float(rng.uniform(0.06, 0.15)),
        lean=float(look.lean + rng.normal(0, 0.015)),
        head_turn=float(rng.normal(0, 0.25)),
        arms=arms,
        arm_swing=float(max(0.0, look.arm_swing + rng.normal(0, 0.1))),
        toes=float(look.toes + rng.normal(0, 0.03)),
        sway=0.0 if standing or sits else look.sway,
        head_tilt=0.35 if arms == "phone" else float(rng.normal(0.02, 0.06)),
        sits=sits,
    )


def _draw_arms(rng: np.random.Generator, look: Look, standing: bool) -> str:
    """Draws a key of ``ARMS``."""
    if look.prop != "none":
        return look.prop
    free = ["swing", "pockets", "phone", "strap"]
    weights = np.array([88.0, 5.0, 2.0, 3.0 if look.bag in ("backpack", "shoulder") else 0.0])
    if standing:
        free += ["crossed", "hip"]
        weights = np.array([*weights * [0.5, 3, 1, 1], 4.0, 9.0])
    drawn = free[int(rng.choice(len(free), p=weights / weights.sum()))]
    if drawn == "swing" and look.bag == "handbag":
        return "handbag"
    return drawn if look.bag != "handbag" or drawn in ("phone", "hip") else "handbag"


def joint_rotations(body: RestBody, pose: Pose) -> dict[str, Array]:
    """Returns the (3, 3) rotation of each joint that differs from the rest pose, by joint name."""
    swing = np.sin(pose.phase) * pose.stride
    roll = pose.sway * np.cos(pose.phase)
    rotations = {
        "pelvis": _rotation(1, roll),
        "belly": _rotation(1, -1.3 * roll) @ _rotation(0, pose.lean) @ _rotation(2, swing * 0.15),
        "chest": _rotation(2, -swing * 0.3),
        "head": _rotation(2, pose.head_turn) @ _rotation(0, pose.head_tilt),
        **_legs(pose, roll),
    }
    held = ARMS[pose.arms]
    for side, sign in (("L", 1.0), ("R", -1.0)):
        arm = held.get(side)
        if arm is None:
            forward = -sign * swing * pose.arm_swing
            bend = pose.bend + 0.3 * max(0.0, -sign * swing)
            arm = Arm(forward, pose.spread, bend, 0.15)
        else:
            arm = Arm(arm.forward - 0.1 * sign * swing, arm.spread, arm.bend, arm.inward)
        rotations.update(_arm(body, side, sign, arm))
    return rotations


def _legs(pose: Pose, roll: float) -> dict[str, Array]:
    swing = np.sin(pose.phase) * pose.stride
    lift = np.cos(pose.phase)
    result: dict[str, Array] = {}
    for side, sign in (("L", 1.0), ("R", -1.0)):
        out = _rotation(2, sign * pose.toes)
        thigh = -1.48 if pose.sits else -sign * swing - 0.03
        knee = 1.45 if pose.sits else 0.08 + pose.stride * 1.5 * max(0.0, sign * lift) ** 2
        result[f"upperleg.{side}"] = _rotation(1, -roll) @ out @ _rotation(0, thigh)
        result[f"lowerleg.{side}"] = _rotation(0, knee)
        result[f"foot.{side}"] = _rotation(0, sign * swing * 0.4)
    return result


def _arm(body: RestBody, side: str, sign: float, arm: Arm) -> dict[str, Array]:
    down = np.array([sign * np.sin(arm.spread), 0, -np.cos(arm.spread)])
    hang = _rotation_between(_arm_direction(body, side), down)
    # The elbow bends about the x axis of the body, expressed in the rest direction of the arm.
    inward = _rotation(2, -sign * arm.inward)
    bent = inward @ _rotation(0, -arm.bend) @ inward.T
    return {
        f"clavicle.{side}": _rotation(1, sign * SHOULDER_DROP),
        f"upperarm.{side}": _rotation(0, -arm.forward) @ hang,
        f"lowerarm.{side}": hang.T @ bent @ hang,
    }


def _arm_direction(body: RestBody, side: str) -> NDArray[np.floating]:
    model = body_model()
    shoulder, wrist = (body.joints[model.joint(f"{name}.{side}")] for name in ("upperarm", "hand"))
    return np.asarray(wrist - shoulder, dtype=np.float64)


def _rotation(axis: int, angle: float) -> Array:
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    turn = np.eye(3, dtype=np.float32)
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
    return turn


def _rotation_between(start: NDArray[np.floating], end: NDArray[np.floating]) -> Array:
    """Returns the rotation that maps one direction to another (Rodrigues' formula)."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis, cosine = np.cross(a, b), float(a @ b)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn: Array = (np.eye(3) + cross + cross @ cross / (1 + cosine)).astype(np.float32)
    return turn
