"""Applies a lens to an image: resolution, blur, exposure, colour, noise, sharpening, JPEG."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter

from apnet.synthetic.people.body import Array
from apnet.synthetic.scene.lens import Lens

GREY = np.float32(84)
"""Grey level that the contrast does not change."""

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def apply_lens(
    image: Image.Image,
    lens: Lens,
    sizes: tuple[tuple[int, int], tuple[int, int]],
    motion: float,
    rng: np.random.Generator,
) -> Image.Image:
    """Returns a rendered image as a camera would record it.

    Args:
        image: rendered image of any size.
        lens: of the camera.
        sizes: height and width in the camera, and of the result, in pixels.
        motion: sideways speed of the person relative to walking, -1 to 1.
        rng: random generator.
    """
    (height, width), (high, wide) = sizes
    image = image.resize((width, height), Image.Resampling.BOX)
    blur = lens.blur * float(rng.uniform(0.5, 1.5)) * height / 256
    if blur > 0.05:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    pixels = _motion_blur(np.asarray(image, dtype=np.float32), lens, motion)
    pixels = _tone(pixels, lens, max(0.5, 1 + rng.normal(0, lens.flicker)))
    if lens.noise:
        pixels += _noise(pixels.shape, rng) * np.float32(lens.noise)
    taken = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if lens.sharpen > 0.1:
        taken = taken.filter(ImageFilter.UnsharpMask(1.2, round(110 * lens.sharpen), 2))
    if lens.quality < 95:
        taken = _jpeg(taken, lens.quality)
    return taken.resize((wide, high), lens.scaler)


def _motion_blur(pixels: Array, lens: Lens, motion: float) -> Array:
    """Returns pixels blurred along the rows, with shifted odd rows if the lens is interlaced."""
    reach = round(abs(motion) * lens.motion * len(pixels))
    if reach:
        steps = range(-(reach // 2), reach - reach // 2 + 1)
        pixels = sum((np.roll(pixels, step, axis=1) for step in steps), np.zeros_like(pixels))
        pixels /= np.float32(len(steps))
    if lens.interlaced and abs(motion) > 0.3:
        torn = pixels.copy()
        torn[1::2] = np.roll(pixels[1::2], 1 if motion > 0 else -1, axis=1)
        return torn
    return pixels


def _tone(pixels: Array, lens: Lens, flicker: float) -> Array:
    """Applies vignette, exposure, white balance, tone curve, contrast and saturation."""
    height, width = pixels.shape[:2]
    if lens.vignette:
        row = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
        column = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
        pixels = pixels * (1 - np.float32(lens.vignette / 2) * (row**2 + column**2))
    pixels = pixels * (lens.gain * np.float32(flicker))
    pixels = 255 * (np.clip(pixels, 0, 255) / 255) ** np.float32(lens.gamma)
    pixels = GREY + (pixels - GREY) * np.float32(lens.contrast)
    grey = (pixels @ LUMA)[..., None]
    toned: Array = grey + (pixels - grey) * np.float32(lens.saturation)
    return toned


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Returns fine noise of brightness plus coarser noise of colour."""
    height, width, _ = shape
    luma = rng.standard_normal((height, width, 1), dtype=np.float32)
    coarse = rng.standard_normal((height // 2 + 1, width // 2 + 1, 3), dtype=np.float32)
    chroma = coarse.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return np.asarray(luma + np.float32(0.5) * chroma)


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer, formats=("JPEG",)).convert("RGB")
