"""Overlays of maps on a grey photograph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_HEAT = np.array(
    [
        (8, 8, 40),
        (56, 16, 98),
        (112, 28, 110),
        (170, 42, 92),
        (220, 72, 62),
        (246, 128, 40),
        (252, 190, 70),
        (254, 244, 190),
    ],
    dtype=np.float64,
)
"""RGB of evenly spaced shares from 0 to 1; each colour is lighter than the one before it."""

FULL_SCALE = 3
"""The multiple of a map's own mean from which on the brightest colour is used."""

_FOR = np.array((222, 60, 30), dtype=np.float64)
_AGAINST = np.array((30, 110, 230), dtype=np.float64)
_HEAT_SHARE = 0.6
_SIGNED_SHARE = 0.85


def heat_colours(share: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Returns (..., 3) uint8 RGB colours of shares (0 to 1); smaller shares are darker."""
    place = np.clip(share, 0, 1) * (len(_HEAT) - 1)
    stops = np.arange(len(_HEAT))
    channels = [np.interp(place, stops, _HEAT[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def heat_overlay(photograph: Image.Image, share: NDArray[np.floating]) -> Image.Image:
    """Returns the grey photograph with a map over it, interpolated, at constant opacity.

    Args:
        photograph: RGB.
        share: (h, w) values divided by the maximum of the scale; those above 1 look like 1.
    """
    smooth = Image.fromarray(share.astype(np.float32)).resize(
        photograph.size, Image.Resampling.BILINEAR
    )
    colours = Image.fromarray(heat_colours(np.asarray(smooth)))
    return Image.blend(_grey(photograph), colours, _HEAT_SHARE)


def signed_overlay(photograph: Image.Image, share: NDArray[np.floating]) -> Image.Image:
    """Returns the grey photograph with positive cells in red and negative cells in blue.

    Args:
        photograph: RGB.
        share: (h, w) values divided by the maximum of the scale, -1 to 1; not interpolated.
    """
    sharp = Image.fromarray(share.astype(np.float32)).resize(
        photograph.size, Image.Resampling.NEAREST
    )
    strength = np.clip(np.asarray(sharp), -1, 1)[..., None].astype(np.float64)
    opacity = _SIGNED_SHARE * np.abs(strength)
    grey = np.asarray(_grey(photograph), dtype=np.float64)
    mixed = (1 - opacity) * grey + opacity * np.where(strength > 0, _FOR, _AGAINST)
    return Image.fromarray(mixed.round().astype(np.uint8))


def _grey(photograph: Image.Image) -> Image.Image:
    return photograph.convert("L").convert("RGB")
