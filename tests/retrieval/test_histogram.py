from fractions import Fraction

import numpy as np
import pytest

from apnet.errors import DataError
from apnet.retrieval import color_histogram
from apnet.retrieval import histogram as module


def naive(image):
    """Pixel by pixel; hue, saturation and value in exact fractions."""
    height, width = image.shape[1:]
    pixels = image.astype(np.float32)
    means = [max(pixels[channel].mean(), np.float32(1)) for channel in range(3)]
    grey = np.mean(means, dtype=np.float32)
    counts = np.zeros((6, 8, 4, 4))
    for y in range(height):
        for x in range(width):
            balanced = [min(pixels[c, y, x] * (grey / means[c]), 255) for c in range(3)]
            shares = hsv(*(Fraction(float(colour)) for colour in balanced))
            bins = [min(int(s * n), n - 1) for s, n in zip(shares, (8, 4, 4), strict=True)]
            counts[(y * 6 // height, *bins)] += 1 - ((2 * x + 1) / width - 1) ** 2
    return np.sqrt(counts / counts.sum(axis=(1, 2, 3), keepdims=True) / 6).ravel()


def hsv(red, green, blue):
    value, least = max(red, green, blue), min(red, green, blue)
    if value == least:
        return 0, 0, value / 255
    spread = value - least
    if value == red:
        hue = (green - blue) / spread % 6
    elif value == green:
        hue = (blue - red) / spread + 2
    else:
        hue = (red - green) / spread + 4
    return hue / 6, spread / value, value / 255


@pytest.mark.parametrize("coarse", [1, 15, 51])
@pytest.mark.parametrize("size", [(6, 1), (13, 5), (24, 8)])
def test_against_single_pixels(size, coarse):
    colours = np.random.default_rng(0).integers(0, 255 // coarse + 1, (4, 3, *size)) * coarse
    images = colours.astype(np.uint8)
    found = color_histogram(images)
    assert (found.shape, found.dtype) == ((4, 768), np.float32)
    np.testing.assert_allclose(found, np.stack([naive(image) for image in images]), atol=1e-6)


def test_unit_length():
    images = np.random.default_rng(1).integers(0, 256, (3, 3, 50, 20)).astype(np.uint8)
    np.testing.assert_allclose(np.linalg.norm(color_histogram(images), axis=1), 1, atol=1e-6)


def test_blocks_do_not_matter(monkeypatch):
    images = np.random.default_rng(2).integers(0, 256, (9, 3, 12, 4)).astype(np.uint8)
    expected = color_histogram(images)
    monkeypatch.setattr(module, "_PIXELS_AT_ONCE", 100)
    np.testing.assert_array_equal(color_histogram(images), expected)


def test_a_colour_cast_changes_little_and_the_sides_count_less():
    image = np.random.default_rng(4).integers(40, 140, (3, 48, 24)).astype(np.uint8)
    cast = (image * np.array([1.3, 1.0, 0.8])[:, None, None]).astype(np.uint8)
    sides, middle = image.copy(), image.copy()
    sides[:, :, :4], middle[:, :, 10:14] = 255, 255
    found = color_histogram(np.stack([image, cast, sides, middle]))
    assert found[0] @ found[1] > 0.9
    assert found[0] @ found[2] > found[0] @ found[3]


def test_place_counts_between_stripes_and_not_within():
    image = np.random.default_rng(3).integers(0, 256, (3, 24, 8)).astype(np.uint8)
    mirrored, upside_down = image[:, :, ::-1], image[:, ::-1]
    found = color_histogram(np.stack([image, mirrored, upside_down]))
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0] - found[2]).max() > 0.01


def test_greys_have_no_hue():
    greys = np.repeat(np.arange(0, 256, 8, dtype=np.uint8)[:, None], 6, axis=1)
    images = np.repeat(greys[:, None, :, None], 3, axis=1)
    filled = color_histogram(images).reshape(-1, 6, 8, 4, 4) > 0
    assert not filled[:, :, 1:].any()
    assert not filled[:, :, :, 1:].any()


def test_no_image():
    assert color_histogram(np.empty((0, 3, 24, 8), np.uint8)).shape == (0, 768)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 3, 24, 8), np.float32), "float32"),
        (np.zeros((3, 24, 8), np.uint8), r"\(3, 24, 8\)"),
        (np.zeros((2, 24, 8, 3), np.uint8), r"\(2, 24, 8, 3\)"),
        (np.zeros((2, 3, 5, 8), np.uint8), "5 x 8 pixels are too small"),
        (np.zeros((2, 3, 24, 0), np.uint8), "too small"),
    ],
)
def test_other_arrays_are_refused(images, message):
    with pytest.raises(DataError, match=message):
        color_histogram(images)
