"""Rates of a gallery of any size, from the table's sizes and numbers of images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.calibration.grid import SIZES
from apnet.calibration.values import Content

Floats = NDArray[np.float64]

_SHORT = 0.25
"""Images that an identity of the table may have fewer than asked, on average."""

_LEAST = 1e-9
_LOG_SIZES = np.log(SIZES)


def false_positives(content: Content, people: int, images: int) -> Floats:
    """Returns FPIR at each threshold, (T,).

    Between sizes, -log(1 - FPIR) is a power of the size, and beyond them too. Identities of more
    images than the table has count as several identities, which is an upper bound.
    """
    row = _row(content, images)
    size = math.log(gallery_size(content, people, images))
    place = min(max(int(np.searchsorted(_LOG_SIZES, size)), 1), len(SIZES) - 1)
    share = (size - _LOG_SIZES[place - 1]) / (_LOG_SIZES[place] - _LOG_SIZES[place - 1])
    rates = np.array(content.fpir.rate[row][place - 1 : place + 1])  # (2, T)
    low, high = np.log(-np.log1p(-np.clip(rates, _LEAST, 1 - _LEAST)))
    curve: Floats = -np.expm1(-np.exp(low + share * (high - low)))
    return np.where(curve > 2 * _LEAST, curve, 0.0)


def gallery_size(content: Content, people: int, images: int) -> int:
    """Returns the identities that a gallery counts as, more where they have many images."""
    held = content.gallery_images[_row(content, images)]
    return people * math.ceil((images - _SHORT) / held)


def between_sizes(content: Content, table: list[Any], people: int, images: int) -> Floats:
    """Returns values (T,) of a table (M, S, T), linear in the logarithm of the size.

    Beyond the largest size they are those of the largest.
    """
    values = np.array(table[_row(content, images)])  # (S, T)
    place = float(np.interp(math.log(people), _LOG_SIZES, np.arange(len(SIZES))))
    low = min(int(place), len(SIZES) - 2)
    share = place - low
    curve: Floats = values[low] * (1 - share) + values[low + 1] * share
    return curve


def has_images(content: Content, images: int) -> bool:
    """Returns whether the table has identities of as many images."""
    return content.gallery_images[_row(content, images)] >= images - _SHORT


def _row(content: Content, images: int) -> int:
    """Returns the row of the fewest images that suffice, else the last."""
    held = content.gallery_images
    enough = (row for row, count in enumerate(held) if count >= images - _SHORT)
    return next(enough, len(held) - 1)
