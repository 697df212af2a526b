"""Augmentations that are not in the paper: changes of colour, box and resolution.

They help a network that is used with other cameras than it was trained with, where exposure, colour
cast, sharpness and detection boxes differ. Each function draws from the given generator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Generator, Tensor
from torch.nn import functional

GAIN: Final = 0.5
"""Greatest change of brightness, contrast and saturation, at strength 1, as a share."""

CAST: Final = 0.15
"""Greatest change of a single channel, at strength 1, as a share."""

GAMMA: Final = 0.35
"""Greatest logarithm of the exponent, at strength 1."""

LEAST_ROWS: Final = 0.25
"""Least resolution that ``coarsen`` downsamples to, as a share."""


@dataclass(frozen=True)
class Distortion:
    """Random distortion of training images; with all strengths 0 it changes nothing."""

    recolour: float = 0.0
    """Strength, see ``recolour``."""
    reframe: float = 0.0
    """Strength, see ``reframe``."""
    coarsen: float = 0.0
    """Probability of ``coarsen``."""

    def __call__(self, image: Tensor, generator: Generator) -> Tensor:
        """Maps (3, H, W) uint8 to (3, H, W) uint8."""
        coarse = float(torch.rand(1, generator=generator)) < self.coarsen
        image = recolour(image, self.recolour, generator)
        image = reframe(image, self.reframe, generator)
        return coarsen(image, generator) if coarse else image


def recolour(image: Tensor, strength: float, generator: Generator) -> Tensor:
    """Changes brightness, single channels, contrast, saturation and gamma.

    Args:
        image: (3, H, W) uint8.
        strength: 0 changes nothing; at 1 the constants of this module are the greatest changes.
        generator: source of randomness.

    Returns:
        (3, H, W) uint8.
    """
    if strength == 0:
        return image
    draws = torch.rand(7, generator=generator) * 2 - 1  # -1 to 1
    gains = 1 + strength * GAIN * draws[:3]
    pixels = image.float() / 255 * (gains[0] * (1 + strength * CAST * draws[3:6]))[:, None, None]
    middle = pixels.mean()
    pixels = middle + (pixels - middle) * gains[1]
    grey = pixels.mean(0, keepdim=True)
    pixels = (grey + (pixels - grey) * gains[2]).clamp_(0, 1)
    exponent = math.exp(strength * GAMMA * float(draws[6]))
    return (pixels.pow_(exponent) * 255).round_().to(torch.uint8)


def reframe(image: Tensor, strength: float, generator: Generator) -> Tensor:
    """Crops a scaled and shifted box; outside of the image its edge pixels are repeated.

    Args:
        image: (3, H, W) uint8.
        strength: greatest change of the box's height and width, as a share, from 0 to 1.
        generator: source of randomness.

    Returns:
        (3, H, W) uint8.
    """
    if strength == 0:
        return image
    draws = torch.rand(4, generator=generator)
    scale = 1 - strength * draws[:2] + strength * 0.4 * draws[2:].flip(0)
    shift = (draws[2:] * 2 - 1) * strength * 0.5
    box = torch.diag_embed(scale)  # (2, 2)
    grid = functional.affine_grid(
        torch.cat([box, shift[:, None]], 1)[None], [1, *image.shape], align_corners=False
    )
    moved = functional.grid_sample(
        image[None].float(), grid, padding_mode="border", align_corners=False
    )
    return moved[0].round_().to(torch.uint8)


def coarsen(image: Tensor, generator: Generator) -> Tensor:
    """Downsamples (3, H, W) uint8 by a random factor, at least ``LEAST_ROWS``, and upsamples it."""
    share = LEAST_ROWS + (0.9 - LEAST_ROWS) * float(torch.rand(1, generator=generator))
    _, height, width = image.shape
    small = (max(1, round(height * share)), max(1, round(width * share)))
    lost = functional.interpolate(image[None], small, mode="bilinear", antialias=True)
    return functional.interpolate(lost, (height, width), mode="bilinear")[0]
