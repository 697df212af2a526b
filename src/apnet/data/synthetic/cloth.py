"""Patterns, logos and folds of cloth, computed where they are seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from apnet.data.synthetic.anatomy import CHEST, Mask
from apnet.data.synthetic.body import Array

_TURN = 2 * np.pi


def pattern(name: str, scale: float, at: Array) -> Mask:
    """Returns where the second colour of a top is seen.

    Args:
        name: one of ``wardrobe.PATTERNS``.
        scale: 1 is usual; larger is coarser.
        at: (P, 6) attributes of points of the top.
    """
    arm = at[:, 3]
    # Sleeves carry the pattern along the arm, the trunk from bottom to top.
    along = np.where(arm >= 0, arm * 0.28, at[:, 2])
    around = np.where(arm >= 0, at[:, 1] * 1.2, at[:, 0])
    return PATTERN_MASKS[name](along / scale, around / scale, at)


def _waves(value: Array, period: float) -> Array:
    return np.asarray(np.sin(value * (_TURN / period)))


def _checks(along: Array, around: Array, at: Array) -> Mask:
    return np.asarray((_waves(along, 0.12) > 0.45) | (_waves(around, 0.12) > 0.45))


def _camouflage(along: Array, around: Array, at: Array) -> Mask:
    first = np.sin(around * 31 + 2 * np.sin(along * 23))
    second = np.sin(along * 37 + 2.5 * np.sin(around * 19 + at[:, 1] * 11))
    return np.asarray(first + second > 0.3)


PATTERN_MASKS: dict[str, Callable[[Array, Array, Array], Mask]] = {
    "plain": lambda along, around, at: np.zeros(len(at), dtype=bool),
    "stripes": lambda along, around, at: _waves(along, 0.085) > 0.15,
    "pinstripes": lambda along, around, at: _waves(around, 0.055) > 0.55,
    "checks": _checks,
    "dots": lambda along, around, at: _waves(along, 0.08) * _waves(around, 0.08) > 0.35,
    "camouflage": _camouflage,
    "yoke": lambda along, around, at: np.where(at[:, 3] >= 0, at[:, 3] < 0.9, at[:, 2] > 1.3),
    "panel": lambda along, around, at: (np.abs(at[:, 0]) > 0.085) & (at[:, 3] < 0),
}


def logo(name: str, at: Array) -> Mask:
    """Returns where a logo on chest and back is seen, among (P, 6) points of the trunk."""
    return LOGO_MASKS[name](at[:, 0] / 0.08, (at[:, 2] - CHEST) / 0.08)


def _frame(u: Array, v: Array) -> Mask:
    outer = np.maximum(np.abs(u), np.abs(v))
    return np.asarray((outer < 1) & (outer > 0.45))


def _letters(u: Array, v: Array) -> Mask:
    ink = np.sin(u * 9) + 0.6 * np.sin(v * 7 + u * 4) > 0
    return np.asarray(ink & (np.abs(u) < 1.5) & (np.abs(v) < 0.55))


LOGO_MASKS: dict[str, Callable[[Array, Array], Mask]] = {
    "none": lambda u, v: np.zeros(len(u), dtype=bool),
    "disc": lambda u, v: u**2 + v**2 < 1,
    "square": _frame,
    "bar": lambda u, v: (np.abs(u) < 1.6) & (np.abs(v) < 0.4),
    "letters": _letters,
    "chevron": lambda u, v: (np.abs(v - 0.7 + np.abs(u) * 0.9) < 0.33) & (np.abs(u) < 1.4),
}


def folds(attributes: Array, phases: Array) -> Array:
    """Returns (P, 3) bends of the normals as worn cloth has them: irregular waves.

    Args:
        attributes: (P, 6).
        phases: (4,) radians, drawn anew for each picture: cloth falls otherwise every time.
    """
    x, y, z = attributes[:, 0], attributes[:, 1], attributes[:, 2]
    a = np.sin(31 * z + 17 * x + phases[0] + 2 * np.sin(13 * y + 9 * x + phases[1]))
    b = np.sin(23 * x - 27 * z + 14 * y + phases[2] + 2 * np.sin(11 * z + phases[3]))
    return np.stack([a, b, a * b], axis=1)
