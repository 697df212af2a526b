"""A baseline without learning: colour histograms of horizontal stripes.

Horizontal stripes separate the clothes of an upright person; hue and saturation vary less between
cameras than red, green and blue. Both were usual before learned features (Gray and Tao, ECCV 2008,
use six stripes). The weight of a pixel falls towards the left and right edges, where background is
likely (Epanechnikov kernel, as in SDALF, Farenzena et al., CVPR 2010). Every image is first
balanced to grey on average, since cameras differ in their colour cast. The features are square
roots of the histograms, so that the cosine of two features is the mean of the stripes'
Bhattacharyya coefficients.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apnet.errors import DataError

STRIPES = 6
HUES, SATURATIONS, VALUES = 8, 4, 4
BINS = HUES * SATURATIONS * VALUES

_PIXELS_AT_ONCE = 1 << 19


def color_histogram(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns one feature of unit length per image.

    Args:
        images: (N, 3, H, W) uint8 RGB, H at least 6.

    Returns:
        (N, 768) float32, from 0 to 1: 6 stripes from top to bottom, each of 8 hues x 4 saturations
        x 4 values.

    Raises:
        DataError: another shape or dtype, or images of fewer than 6 rows.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise DataError(f"images must be (N, 3, H, W) uint8, got {images.shape} {images.dtype}")
    count, _, height, width = images.shape
    if height < STRIPES or not width:
        raise DataError(
            f"images of {height} x {width} pixels are too small for {STRIPES} stripes; "
            f"give images of at least {STRIPES} rows"
        )
    features = np.empty((count, STRIPES * BINS), dtype=np.float32)
    step = max(1, _PIXELS_AT_ONCE // (height * width))
    for start in range(0, count, step):
        features[start : start + step] = _of_block(images[start : start + step])
    return features


def _of_block(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    count, _, height, width = images.shape
    stripe = np.arange(height) * STRIPES // height  # (H,)
    bins = _hsv_bins(_balanced(images)) + stripe[None, :, None] * BINS  # (N, H, W)
    bins += np.arange(count)[:, None, None] * (STRIPES * BINS)
    weights = np.broadcast_to(_across(width), bins.shape)
    totals = np.bincount(bins.ravel(), weights.ravel(), minlength=count * STRIPES * BINS)
    totals = totals.reshape(count, STRIPES, BINS)  # (N * S * B,) -> (N, S, B)
    shares = totals / totals.sum(axis=2, keepdims=True)
    roots: NDArray[np.float64] = np.sqrt(shares / STRIPES)
    return roots.reshape(count, STRIPES * BINS)  # (N, S, B) -> (N, S * B)


def _across(width: int) -> NDArray[np.float64]:
    """Returns weights (W,): 1 in the middle, 0 just outside the image."""
    place = (np.arange(width) + 0.5) / width * 2 - 1
    weights: NDArray[np.float64] = 1 - place**2
    return weights


def _balanced(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scales the channels of each image to the same mean (grey-world), (N, 3, H, W)."""
    pixels = images.astype(np.float32)
    means = np.maximum(pixels.mean(axis=(2, 3), keepdims=True), 1)  # (N, 3, 1, 1)
    balanced: NDArray[np.float32] = np.minimum(
        pixels * (means.mean(axis=1, keepdims=True) / means), 255
    )
    return balanced


def _hsv_bins(pixels: NDArray[np.float32]) -> NDArray[np.int64]:
    red, green, blue = np.moveaxis(pixels, 1, 0)  # each (N, H, W)
    value = np.maximum(np.maximum(red, green), blue)
    spread = value - np.minimum(np.minimum(red, green), blue)
    divisor = np.where(spread > 0, spread, 1)
    hue = np.select(
        [spread == 0, value == red, value == green],
        [np.zeros_like(value), (green - blue) / divisor % 6, (blue - red) / divisor + 2],
        (red - green) / divisor + 4,
    )  # from 0 to 6, 0 for greys
    saturation = spread / np.where(value > 0, value, 1)
    hues = _bin(hue / 6, HUES)
    return (hues * SATURATIONS + _bin(saturation, SATURATIONS)) * VALUES + _bin(value / 255, VALUES)


def _bin(shares: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    return np.minimum((shares * count).astype(np.int64), count - 1)
