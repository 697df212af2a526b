"""Patterns and logos of tops, as masks over places on the mean body."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from apnet.data.synthetic.body import Array
from apnet.data.synthetic.wardrobe import Look

Mask = NDArray[np.bool_]

CHEST = 1.28
"""Height of the logo's middle on the mean body, metres."""


def pattern_mask(look: Look, at: Array) -> Mask:
    """Returns (P,) where a top shows its second colour; ``at`` is (P, 6) attributes."""
    return np.asarray(_PATTERNS[look.pattern](at, look.pattern_scale), dtype=bool)


def logo_mask(look: Look, at: Array) -> Mask:
    """Returns (P,) where a top shows its logo, on chest and back."""
    drawn = _LOGOS[look.logo](at[:, 0] / 0.075, (at[:, 2] - CHEST) / 0.075)
    return np.asarray(drawn & (at[:, 3] < 0), dtype=bool)


def _wave(place: Array, metres: float) -> Array:
    wave: Array = np.sin(place * 2 * np.pi / metres)
    return wave


def _along(at: Array) -> Array:
    """Metres along the trunk or the arm."""
    return np.where(at[:, 3] >= 0, at[:, 3] * 0.28, at[:, 2])


def _around(at: Array) -> Array:
    """Metres across the trunk or the arm."""
    return np.where(at[:, 3] >= 0, at[:, 1] * 1.2, at[:, 0])


def _plain(at: Array, scale: float) -> Mask:
    return np.zeros(len(at), dtype=bool)


def _stripes(at: Array, scale: float) -> Mask:
    return np.asarray(_wave(_along(at), 0.085 * scale) > 0.15)


def _pinstripes(at: Array, scale: float) -> Mask:
    return np.asarray(_wave(_around(at), 0.055 * scale) > 0.55)


def _checks(at: Array, scale: float) -> Mask:
    return np.asarray(
        (_wave(_along(at), 0.11 * scale) > 0) ^ (_wave(_around(at), 0.11 * scale) > 0)
    )


def _dots(at: Array, scale: float) -> Mask:
    return np.asarray(_wave(_along(at), 0.075 * scale) * _wave(_around(at), 0.075 * scale) > 0.35)


def _camouflage(at: Array, scale: float) -> Mask:
    x, y, z = at[:, 0], at[:, 1], at[:, 2]
    broad = np.sin(x * 31 / scale + 2 * np.sin(z * 23 / scale))
    fine = np.sin(z * 37 / scale + 2.5 * np.sin(x * 19 + y * 11))
    return np.asarray(broad + fine > 0.3)


def _yoke(at: Array, scale: float) -> Mask:
    return np.asarray(np.where(at[:, 3] >= 0, at[:, 3] < 0.9, at[:, 2] > CHEST + 0.02))


def _panel(at: Array, scale: float) -> Mask:
    return np.asarray((np.abs(at[:, 0]) > 0.085) & (at[:, 3] < 0))


_PATTERNS: dict[str, Callable[[Array, float], Mask]] = {
    "plain": _plain,
    "stripes": _stripes,
    "pinstripes": _pinstripes,
    "checks": _checks,
    "dots": _dots,
    "camouflage": _camouflage,
    "yoke": _yoke,
    "panel": _panel,
}


def _no_logo(u: Array, v: Array) -> Mask:
    return np.zeros(len(u), dtype=bool)


def _disc(u: Array, v: Array) -> Mask:
    return np.asarray(u**2 + v**2 < 1)


def _square(u: Array, v: Array) -> Mask:
    side = np.maximum(np.abs(u), np.abs(v))
    return np.asarray((side >= 0.4) & (side < 0.95))


def _bar(u: Array, v: Array) -> Mask:
    return np.asarray((np.abs(u) < 1.6) & (np.abs(v) < 0.4))


def _letters(u: Array, v: Array) -> Mask:
    strokes = np.sin(u * 9) + 0.6 * np.sin(v * 7 + u * 4) > 0
    return np.asarray((np.abs(u) < 1.5) & (np.abs(v) < 0.55) & strokes)


def _chevron(u: Array, v: Array) -> Mask:
    return np.asarray((np.abs(v - 0.7 + np.abs(u) * 0.9) < 0.33) & (np.abs(u) < 1.4))


_LOGOS: dict[str, Callable[[Array, Array], Mask]] = {
    "none": _no_logo,
    "disc": _disc,
    "square": _square,
    "bar": _bar,
    "letters": _letters,
    "chevron": _chevron,
}
