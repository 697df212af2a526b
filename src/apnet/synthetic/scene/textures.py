"""Periodic textures of the materials of ground and walls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Color = tuple[int, int, int]
Texture = NDArray[np.uint8]

TEXELS = 512
"""Side of a texture in pixels."""

SPAN = 16.0
"""Period of a texture in metres."""

METRE = TEXELS / SPAN
"""Pixels per metre."""


def draw_muted(rng: np.random.Generator, low: int, high: int) -> Color:
    """Draws a grey between two levels with a slight warm or cold tint."""
    warmth, tint = rng.normal(0, 0.05), rng.normal(0, 0.015)
    return scaled_grey(rng.uniform(low, high), (1 + warmth, 1 + tint, 1 - warmth))


def draw_vivid(rng: np.random.Generator) -> Color:
    """Draws a colour of paint: any hue from blue to red, mostly with low saturation."""
    hue = rng.uniform(1.8, 6.4) + np.array([0, 2.1, 4.2])
    strength = 0.05 + 0.6 * rng.beta(1, 2.2)
    red, green, blue = 1 + strength * np.cos(hue)
    return scaled_grey(rng.uniform(50, 190), (red, green, blue))


def scaled_grey(level: float, factors: tuple[float, float, float]) -> Color:
    """Returns a grey level times red, green and blue factors as a colour."""
    red, green, blue = (int(np.clip(level * factor, 0, 255)) for factor in factors)
    return (red, green, blue)


def scaled(color: Color, factor: float) -> Color:
    """Returns a colour times a factor."""
    return scaled_grey(factor, color)


def filled(color: Color) -> Image.Image:
    """Returns an image of one colour."""
    return Image.new("RGB", (TEXELS, TEXELS), color)


def asphalt(rng: np.random.Generator) -> Image.Image:
    """Paints asphalt with patches and seams."""
    base = draw_muted(rng, 70, 135)
    image = filled(base)
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, 7))):
        x, y = rng.integers(0, TEXELS, 2)
        wide, deep = rng.integers(12, 120, 2)
        patch = scaled(base, rng.uniform(0.8, 1.12))
        draw.rectangle([x, y, x + wide, y + deep], fill=patch)
        draw.line([(x, y), (x + 3 * wide, y + deep)], fill=scaled(base, 0.75))
    return image


def slabs(rng: np.random.Generator) -> Image.Image:
    """Paints courses of slabs or bricks with slightly different shades."""
    base = draw_muted(rng, 95, 185)
    image = filled(scaled(base, rng.uniform(0.6, 0.9)))
    draw = ImageDraw.Draw(image)
    deep = int(rng.choice([8, 16, 16, 32]))
    wide = deep * int(rng.choice([1, 2]))
    staggered, spread = rng.random() < 0.6, rng.uniform(0.02, 0.1)
    for top in range(0, TEXELS, deep):
        shift = (top // deep % 2) * wide // 2 if staggered else 0
        for left in range(-shift, TEXELS, wide):
            color = scaled(base, 1 + rng.normal(0, spread))
            draw.rectangle([left, top, left + wide - 2, top + deep - 2], fill=color)
    return image


def flagstones(rng: np.random.Generator) -> Image.Image:
    """Paints irregular stones with dark joints: the Voronoi cells of scattered points."""
    count = int(rng.choice([24, 32, 44]))
    cell = TEXELS / count
    spots = (np.arange(count)[:, None] + rng.uniform(0.15, 0.85, (2, count, count))) * cell
    spots[1] = (np.arange(count)[None, :] + rng.uniform(0.15, 0.85, (count, count))) * cell
    row, column = np.mgrid[0:TEXELS, 0:TEXELS].astype(np.float32)
    cell_row, cell_column = (row // cell).astype(int), (column // cell).astype(int)
    nearest = np.full((TEXELS, TEXELS), 1e9, dtype=np.float32)
    second = nearest.copy()
    owner = np.zeros((TEXELS, TEXELS), dtype=int)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            r, c = (cell_row + down) % count, (cell_column + right) % count
            off_row = np.abs(spots[0, r, c] - row)
            off_column = np.abs(spots[1, r, c] - column)
            away = np.hypot(
                np.minimum(off_row, TEXELS - off_row), np.minimum(off_column, TEXELS - off_column)
            ).astype(np.float32)
            closer = away < nearest
            second = np.where(closer, nearest, np.minimum(second, away))
            owner = np.where(closer, r * count + c, owner)
            nearest = np.where(closer, away, nearest)
    shades = 1 + rng.normal(0, rng.uniform(0.04, 0.12), count * count)
    level = np.where(second - nearest < 1.6, 0.55, shades[owner])
    base = np.array(draw_muted(rng, 100, 180))
    return Image.fromarray(np.clip(level[..., None] * base, 0, 255).astype(np.uint8))


def grass(rng: np.random.Generator) -> Image.Image:
    """Paints green or dry grass."""
    base = np.array(scaled_grey(rng.uniform(75, 135), (rng.uniform(0.7, 1.0), 1.0, 0.55)))
    tufts = Image.fromarray(rng.normal(1, 0.16, (128, 128)).astype(np.float32))
    level = np.asarray(tufts.resize((TEXELS, TEXELS), Image.Resampling.BILINEAR))
    return Image.fromarray(np.clip(level[..., None] * base, 0, 255).astype(np.uint8))


def tiles(rng: np.random.Generator) -> Image.Image:
    """Paints square floor tiles in one or two colours."""
    first = draw_muted(rng, 120, 215)
    second = draw_muted(rng, 60, 200) if rng.random() < 0.35 else first
    image = filled(scaled(first, 0.75))
    draw = ImageDraw.Draw(image)
    step = int(rng.choice([16, 32]))
    for top in range(0, TEXELS, step):
        for left in range(0, TEXELS, step):
            base = first if (top + left) // step % 2 else second
            color = scaled(base, 1 + rng.normal(0, 0.02))
            draw.rectangle([left, top, left + step - 2, top + step - 2], fill=color)
    return image


def planks(rng: np.random.Generator) -> Image.Image:
    """Paints boards or a ribbed carpet."""
    base = scaled_grey(rng.uniform(70, 160), (1.15, 0.95, rng.uniform(0.6, 0.95)))
    image = filled(base)
    draw = ImageDraw.Draw(image)
    deep = int(rng.choice([4, 8]))
    for top in range(0, TEXELS, deep):
        draw.rectangle([0, top, TEXELS, top + deep - 1], fill=scaled(base, rng.uniform(0.88, 1.1)))
    return image


MATERIALS: dict[str, Callable[[np.random.Generator], Image.Image]] = {
    "asphalt": asphalt,
    "slabs": slabs,
    "flagstones": flagstones,
    "grass": grass,
    "tiles": tiles,
    "planks": planks,
}
"""Painters of ground materials by name."""


def add_grain(rng: np.random.Generator, image: Image.Image, strength: float) -> Texture:
    """Returns an image with fine noise and coarse stains of a strength in grey levels."""
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float32)
    fine = rng.normal(0, strength, (TEXELS, TEXELS)).astype(np.float32)
    stains = Image.fromarray(rng.normal(0, strength, (24, 24)).astype(np.float32))
    coarse = np.asarray(stains.resize((TEXELS, TEXELS), Image.Resampling.BICUBIC))
    texture: Texture = np.clip(pixels + (fine + coarse)[..., None], 0, 255).astype(np.uint8)
    return texture


def sample_texture(
    texture: Texture, u: NDArray[np.floating], v: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Returns (P, 3) bilinear samples of a periodic texture at (P,) metres across and down."""
    u, v = u * METRE, v * METRE
    column, row = np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)
    right, low = (u - column)[:, None].astype(np.float32), (v - row)[:, None].astype(np.float32)
    column, row = column % TEXELS, row % TEXELS * TEXELS
    column_after, row_after = (column + 1) % TEXELS, (row + TEXELS) % (TEXELS * TEXELS)
    flat = texture.reshape(-1, 3)
    above = flat[row + column] * (1 - right) + flat[row + column_after] * right
    below = flat[row_after + column] * (1 - right) + flat[row_after + column_after] * right
    mixed: NDArray[np.floating] = above * (1 - low) + below * low
    return mixed
