"""Square, repeating pictures of grounds and street fronts, in muted colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Color = tuple[int, int, int]
Texture = NDArray[np.uint8]

TEXELS = 512
"""Side of a texture, pixels."""

SPAN = 16.0
"""Metres that a texture covers before it repeats."""

METRE = TEXELS / SPAN


def muted(rng: np.random.Generator, low: int, high: int) -> Color:
    """Draws a grey between two levels, a little warm or cold."""
    warmth, tint = rng.normal(0, 0.05), rng.normal(0, 0.015)
    return toned(rng.uniform(low, high), (1 + warmth, 1 + tint, 1 - warmth))


def toned(level: float, factors: tuple[float, float, float]) -> Color:
    """Returns a level times (3,) factors as a colour."""
    red, green, blue = (int(np.clip(level * factor, 0, 255)) for factor in factors)
    return (red, green, blue)


def _shaded(color: Color, factor: float) -> Color:
    return toned(factor, color)


def ground(rng: np.random.Generator) -> Texture:
    """Draws paving, asphalt, patches, a verge or a line."""
    base = muted(rng, 85, 165)
    image = Image.new("RGB", (TEXELS, TEXELS), base)
    draw = ImageDraw.Draw(image)
    _paving(rng, draw, base)
    for _ in range(int(rng.integers(2, 8))):
        x, y = rng.integers(0, TEXELS, 2)
        size = int(rng.integers(12, 90))
        draw.ellipse(
            [x - size, y - size // 2, x + size, y + size // 2],
            fill=_shaded(base, rng.uniform(0.86, 1.1)),
        )
    image = image.filter(ImageFilter.GaussianBlur(1.2))
    if rng.random() < 0.5:
        draw = ImageDraw.Draw(image)
        top = int(rng.integers(0, TEXELS))
        grass = toned(rng.uniform(70, 105), (0.85, 1.0, 0.6))
        verge = rng.random() < 0.6
        deep = int(rng.integers(40, 130) if verge else rng.integers(5, 9))
        draw.rectangle([0, top, TEXELS, top + deep], fill=grass if verge else (200, 200, 194))
    return _grained(rng, image, 9)


def _paving(rng: np.random.Generator, draw: ImageDraw.ImageDraw, base: Color) -> None:
    """Slabs, each a little lighter or darker than the next; coarse or fine, or asphalt."""
    step = int(rng.choice([16, 16, 32, 64, TEXELS]))
    spread = rng.uniform(0.02, 0.07)
    for top in range(0, TEXELS, step):
        shift = (top // step % 2) * step // 2
        for left in range(-shift, TEXELS, step):
            color = _shaded(base, 1 + rng.normal(0, spread))
            draw.rectangle([left, top, left + step - 2, top + step - 2], fill=color)


def street_front(rng: np.random.Generator) -> Texture:
    """Draws a front: windows, doors, pillars, posters, hedges; its foot is the bottom row."""
    base = muted(rng, 95, 185)
    image = Image.new("RGB", (TEXELS, TEXELS), base)
    draw = ImageDraw.Draw(image)
    if rng.random() < 0.5:
        for top in range(0, TEXELS, int(rng.choice([8, 14, 24]))):
            draw.line([(0, top), (TEXELS, top)], fill=_shaded(base, 0.9))
    period = float(rng.uniform(1.6, 5))
    for place in np.arange(0, SPAN, period):
        _bay(rng, draw, float(place), period)
    draw.rectangle([0, TEXELS - 0.35 * METRE, TEXELS, TEXELS], fill=_shaded(base, 0.7))
    for _ in range(int(rng.integers(1, 7))):
        _object(rng, draw)
    return _grained(rng, image.filter(ImageFilter.GaussianBlur(1.0)), 8)


def _bay(rng: np.random.Generator, draw: ImageDraw.ImageDraw, place: float, period: float) -> None:
    glass, frame = muted(rng, 35, 95), muted(rng, 55, 200)
    left, right = place * METRE, (place + period * rng.uniform(0.35, 0.7)) * METRE
    top, sill = TEXELS - 2.6 * METRE, TEXELS - float(rng.choice([0.1, 0.9])) * METRE
    draw.rectangle([left, top, right, sill], fill=glass, outline=frame, width=3)
    shine = left + (right - left) * rng.uniform(0.1, 0.6)
    draw.polygon(
        [(shine, top + 3), (shine + 20, top + 3), (shine, sill - 3), (shine - 20, sill - 3)],
        fill=_shaded(glass, 1.3),
    )
    middle = (left + right) / 2
    draw.line([(middle, top), (middle, sill)], fill=frame, width=3)
    if rng.random() < 0.35:
        pillar = [right + 4, TEXELS - 3 * METRE, right + 4 + 0.35 * METRE, TEXELS]
        draw.rectangle(pillar, fill=muted(rng, 70, 180))


def _object(rng: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    """A hedge, a bench, a poster, something parked."""
    left, width = rng.uniform(0, TEXELS), rng.uniform(0.4, 2.4) * METRE
    height, lift = rng.uniform(0.4, 1.4) * METRE, float(rng.choice([0, 0, 1.2])) * METRE
    box = [left, TEXELS - lift - height, left + width, TEXELS - lift]
    if rng.random() < 0.5:
        level = rng.uniform(50, 90)
        for _ in range(60):
            x, y = rng.uniform(left, left + width), rng.uniform(TEXELS - height, TEXELS)
            size = rng.uniform(3, 10)
            leaf = toned(level * rng.uniform(0.7, 1.3), (0.8, 1.0, 0.55))
            draw.ellipse([x - size, y - size, x + size, y + size], fill=leaf)
        return
    draw.rectangle(box, fill=toned(rng.uniform(60, 170), tuple(1 + rng.normal(0, 0.1, 3))))


def _grained(rng: np.random.Generator, image: Image.Image, strength: float) -> Texture:
    """Adds fine grain and coarse stains."""
    pixels = np.asarray(image, dtype=np.float32)
    fine = rng.normal(0, strength, (TEXELS, TEXELS)).astype(np.float32)
    stains = Image.fromarray(rng.normal(0, strength, (24, 24)).astype(np.float32))
    coarse = np.asarray(stains.resize((TEXELS, TEXELS), Image.Resampling.BICUBIC))
    grained: Texture = np.clip(pixels + (fine + coarse)[..., None], 0, 255).astype(np.uint8)
    return grained
