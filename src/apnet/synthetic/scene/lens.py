"""Optical and electronic properties of a camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from apnet.synthetic.people.body import Array
from apnet.synthetic.scene.light import Light
from apnet.synthetic.world.settings import World

SCALERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.NEAREST)


@dataclass(frozen=True, eq=False)
class Lens:
    """Properties of the images of a camera."""

    gain: Array
    """(3,) factors of red, green and blue: exposure and white balance."""
    flicker: float
    """Standard deviation of the gain of an image relative to the camera."""
    contrast: float
    """Factor of the distance from middle grey."""
    gamma: float
    """Exponent of the tone curve."""
    saturation: float
    """Factor of the distance from grey."""
    vignette: float
    """Share of light lost in the corners of an image."""
    blur: float
    """Standard deviation in pixels at an image height of 256."""
    motion: float
    """Length of motion blur of a walking person, relative to the image height."""
    noise: float
    """Standard deviation in grey levels."""
    sharpen: float
    """Strength of sharpening."""
    quality: int
    """Quality of the first JPEG compression, before the image is scaled."""
    interlaced: bool
    """Whether even and odd rows of a moving person are shifted."""
    scaler: Image.Resampling
    """Filter that scales the image to the image size of the set."""


def draw_lens(rng: np.random.Generator, world: World, light: Light) -> Lens:
    """Draws the properties of a camera; at night there are more noise and motion blur."""
    dark = light.kind == "night"
    cast, optics = world.cast, world.optics
    warmth, tint = rng.normal(0, world.warmth * cast), rng.normal(0, world.tint * cast)
    exposure = 1 + (rng.uniform(*world.exposure) - 1) * cast
    gain = np.array([1 + warmth, 1 + tint, 1 - warmth]) * exposure * _automatic_gain(light)
    scaler = SCALERS[int(rng.choice(3, p=[0.55, 0.35, 0.1]))]
    return Lens(
        gain=gain.astype(np.float32),
        flicker=world.flicker * cast,
        contrast=float(1 + rng.uniform(-0.22, 0.22) * cast),
        gamma=float(np.exp(rng.normal(0, 0.14) * cast)),
        saturation=float(np.clip(1 + rng.normal(-0.05, 0.2) * cast, 0.35, 1.5)),
        vignette=float(rng.uniform(0, 0.2)) * optics,
        blur=float(rng.uniform(*world.blur)) * optics,
        motion=float(rng.uniform(0, 0.012) * (2 if dark else 1)) * optics,
        noise=float(rng.uniform(*world.noise) * (2.2 if dark else 1)) * optics,
        sharpen=float(max(0.0, rng.uniform(-0.6, 1.0))) * optics,
        quality=round(95 - rng.uniform(5, 50) * optics),
        interlaced=bool(rng.random() < 0.03 * optics),
        scaler=scaler if optics else Image.Resampling.BICUBIC,
    )


def _automatic_gain(light: Light) -> float:
    """Returns the automatic gain, which partly compensates for bright or dark scenes."""
    level = light.sky.mean() + 0.5 * light.direct.mean() * (1 - light.shade.mean())
    return float(np.clip(1.05 / level, 0.5, 5.0) ** 0.7)
