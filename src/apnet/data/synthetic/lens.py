"""Optics and electronics: blur, resolution, exposure, colour cast, noise."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from apnet.data.synthetic.scene import Camera


def photographed(
    image: Image.Image, camera: Camera, size: tuple[int, int], rng: np.random.Generator
) -> Image.Image:
    """Returns a rendered image as a camera gives it, at ``size`` (height, width)."""
    height, width = size
    small = float(np.clip(rng.normal(0.85, 0.2), 0.35, 1.0))
    low = (round(width * small), round(height * small))
    blur = camera.blur * rng.uniform(0.6, 1.4) * height / 256
    image = image.resize(low, Image.Resampling.BOX)
    image = image.filter(ImageFilter.GaussianBlur(blur))
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)
    gain = camera.gain * np.float32(max(0.5, 1 + rng.normal(0, camera.flicker)))
    grey = np.float32(118)
    pixels = grey + (pixels * gain - grey) * np.float32(camera.contrast)
    noise = rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(camera.noise)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))
