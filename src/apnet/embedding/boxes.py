"""Boxes of people in a frame, as detectors and trackers give them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.arguments import described
from apnet.errors import DataError

FORM = "x1, y1, x2, y2 in pixels"


def box_array(boxes: Any) -> NDArray[np.float64]:
    """Returns boxes as (N, 4) float64; N may be 0. Their values are not checked.

    Raises:
        DataError: they are no numbers, or have another shape.
    """
    try:
        values = np.asarray(boxes, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"boxes must be numbers (N, 4), got {described(boxes)}") from None
    if values.size == 0:
        return np.empty((0, 4))
    if values.ndim != 2 or values.shape[1] != 4:
        raise DataError(f"boxes must have shape (N, 4): {FORM}; got {values.shape}")
    return values


def clipped(
    number: int, box: NDArray[np.float64], height: int, width: int
) -> tuple[int, int, int, int]:
    """Returns left, top, right and bottom of a box in whole pixels of the frame, at least one each.

    Args:
        number: of the box, for errors.
        box: (4,) x1, y1, x2, y2 in pixels, x2 and y2 exclusive; it is clipped to the frame and
            widened to whole pixels.
        height: of the frame, in pixels.
        width: of the frame, in pixels.

    Raises:
        DataError: the box is not finite, has no area, or lies outside the frame.
    """
    left, top, right, bottom = box.tolist()
    place = f"box {number} ({left:g}, {top:g}, {right:g}, {bottom:g})"
    if not np.isfinite(box).all():
        raise DataError(f"{place} is not finite; give {FORM}")
    if right <= left or bottom <= top:
        raise DataError(f"{place} has no area; give {FORM}, not x, y, width, height")
    if right <= 0 or bottom <= 0 or left >= width or top >= height:
        raise DataError(
            f"{place} lies outside the frame of {width} x {height} pixels; leave it out"
        )
    return (
        max(int(np.floor(left)), 0),
        max(int(np.floor(top)), 0),
        min(int(np.ceil(right)), width),
        min(int(np.ceil(bottom)), height),
    )
