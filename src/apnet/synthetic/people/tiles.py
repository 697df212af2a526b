"""Small square textures of colour indices for patterns and prints."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

CELLS = 64
"""Side of the tile of a pattern, which repeats in both directions."""

Tile = NDArray[np.uint8]

BLENDS = np.array([[0, 3, 4], [3, 1, 5], [4, 5, 2]], dtype=np.uint8)
"""Colour index of a mixture of two colours; 0 to 2 are pure colours, 3 to 5 mixtures."""


@functools.lru_cache(maxsize=512)
def pattern_tile(name: str, seed: int) -> Tile:
    """Returns the (CELLS, CELLS) colour indices, 0 to 5, of a pattern, see ``pattern_colors``."""
    rng = np.random.default_rng(seed)
    if name in ("stripes", "irregular", "diagonal"):
        line = _even_stripes(rng) if name == "stripes" else _bands(rng, least=3, most=10)
        return np.repeat(line[:, None], CELLS, axis=1)
    if name == "pinstripes":
        line = np.zeros(CELLS, dtype=np.uint8)
        for start in (0, CELLS // 2):
            line[start : start + int(rng.integers(7, 15))] = 1 if start == 0 else rng.integers(1, 3)
        return np.repeat(line[None], CELLS, axis=0)
    if name in ("checks", "plaid"):
        warp = _even_stripes(rng) if name == "checks" else _threads(rng)
        weft = warp if rng.random() < 0.6 else _threads(rng)
        return BLENDS[warp[:, None], weft[None]]
    return {"dots": _dots, "floral": _floral, "camouflage": _camouflage, "geometric": _geometric}[
        name
    ](rng)


def _even_stripes(rng: np.random.Generator) -> Tile:
    """Returns a line of regular stripes in two or three colours."""
    times = int(rng.choice([1, 2, 4]))
    period = CELLS // times
    line = np.zeros(period, dtype=np.uint8)
    width = max(1, round(period * rng.uniform(0.2, 0.6)))
    line[:width] = 1
    if rng.random() < 0.4:
        gap = max(1, round((period - width) * rng.uniform(0.2, 0.5)))
        line[width + gap : width + 2 * gap] = 2
    return np.tile(line, times)


def _bands(rng: np.random.Generator, least: int, most: int) -> Tile:
    """Returns a line of stripes of random widths in three colours; neighbours differ."""
    line = np.zeros(CELLS, dtype=np.uint8)
    start, color = 0, 0
    while start < CELLS:
        width = int(rng.integers(least, most + 1))
        line[start : start + width] = color
        start += width
        color = (color + int(rng.choice([1, 2], p=[0.65, 0.35]))) % 3
    return line


def _threads(rng: np.random.Generator) -> Tile:
    """Returns the line of a tartan: broad bands of two colours, thin lines of the third."""
    line = np.zeros(CELLS, dtype=np.uint8)
    width = int(rng.integers(10, 30))
    start = int(rng.integers(0, CELLS - width))
    line[start : start + width] = 1
    for _ in range(int(rng.integers(1, 4))):
        place, thin = int(rng.integers(0, CELLS - 4)), int(rng.integers(2, 5))
        line[place : place + thin] = 2 if rng.random() < 0.7 else 1
    return line


def _grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    row, column = np.mgrid[0:CELLS, 0:CELLS].astype(np.float64)
    return row, column


def _dots(rng: np.random.Generator) -> Tile:
    """Returns dots in offset rows, sometimes in two colours."""
    count = int(rng.choice([2, 4]))
    row, column = _grid()
    period = CELLS / count
    line = (row // period).astype(int)
    column = column + (line % 2) * period / 2
    from_middle = np.hypot(row % period - period / 2, column % period - period / 2)
    dots = from_middle < period * rng.uniform(0.18, 0.36)
    second = (line % 2 == 1) if rng.random() < 0.4 else np.zeros_like(dots)
    return np.where(dots, np.where(second, 2, 1), 0).astype(np.uint8)


def _wrapped(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((value + CELLS / 2) % CELLS - CELLS / 2)


def _floral(rng: np.random.Generator) -> Tile:
    """Returns scattered flowers with petals and leaves."""
    tile = np.zeros((CELLS, CELLS), dtype=np.uint8)
    row, column = _grid()
    for _ in range(int(rng.integers(6, 14))):
        y, x = _wrapped(row - rng.uniform(0, CELLS)), _wrapped(column - rng.uniform(0, CELLS))
        size, petals = rng.uniform(4, 10), int(rng.integers(4, 7))
        reach = size * (0.75 + 0.25 * np.cos(petals * np.arctan2(y, x) + rng.uniform(0, 6)))
        radius = np.hypot(y, x)
        leaf = np.hypot(y - size * 0.9, (x - size * 0.7) * 2) < size * 0.6
        tile[leaf] = 5
        flower, heart = (1, 2) if rng.random() < 0.65 else (2, 1)
        tile[radius < reach] = flower
        tile[radius < size * 0.28] = heart
    return tile


def _smooth_noise(rng: np.random.Generator, waves: float) -> NDArray[np.float64]:
    """Returns a (CELLS, CELLS) periodic field with about ``waves`` blobs across."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(CELLS) * CELLS, np.fft.fftfreq(CELLS) * CELLS))
    spectrum = np.fft.fft2(rng.standard_normal((CELLS, CELLS)))
    return np.asarray(np.fft.ifft2(spectrum * np.exp(-((frequency / waves) ** 2))).real)


def _camouflage(rng: np.random.Generator) -> Tile:
    """Returns irregular spots of four colours."""
    tile = np.zeros((CELLS, CELLS), dtype=np.uint8)
    for color, share in ((3, 0.45), (1, 0.7), (2, 0.8)):
        field = _smooth_noise(rng, float(rng.uniform(3, 6)))
        tile[field > np.quantile(field, share)] = color
    return tile


def _geometric(rng: np.random.Generator) -> Tile:
    """Returns zigzags or lozenges."""
    row, column = _grid()
    period = CELLS / int(rng.choice([2, 4]))
    fold = np.abs(column % period - period / 2)
    fold *= rng.uniform(0.6, 1.6)
    value = row + fold if rng.random() < 0.5 else np.abs(row % period - period / 2) + fold
    bands = _bands(rng, least=3, most=12)
    return bands[(value / period * CELLS).astype(np.int64) % CELLS]


@functools.lru_cache(maxsize=512)
def emblem_tile(name: str, seed: int) -> Tile:
    """Returns the (48, 48) tones of a print: 0 no print, 1 its colour, 2 its second tone."""
    side = 48
    v, u = np.mgrid[1 : -1 : side * 1j, -1 : 1 : side * 1j]
    rng = np.random.default_rng(seed)
    radius = np.hypot(u, v)
    if name == "letters":
        return _letters(rng, side)
    if name == "disc":
        tones = 1.0 * (radius < 0.85) + (radius < rng.uniform(0.3, 0.65))
    elif name == "square":
        outer = np.maximum(np.abs(u), np.abs(v) * rng.uniform(0.9, 1.6))
        tones = 1.0 * ((outer < 0.9) & (outer > 0.5))
    elif name == "bar":
        tones = (np.abs(v) < rng.uniform(0.18, 0.4)) * (1.0 + (np.abs(v) < 0.1))
    elif name == "chevron":
        tones = 1.0 * (np.abs(v - 0.4 + np.abs(u) * rng.uniform(0.5, 1.2)) < 0.24)
    else:
        blot = np.kron(_smooth_noise(rng, 5.0)[:24, :24], np.ones((2, 2)))
        tones = (radius < 0.92) * (blot > 0) * (1.0 + (blot > blot.std()))
    return np.asarray(tones, dtype=np.uint8)


def _letters(rng: np.random.Generator, side: int) -> Tile:
    """Returns one or two words of random glyphs on a 3 x 5 grid."""
    tile = np.zeros((side, side), dtype=np.uint8)
    lines = int(rng.integers(1, 3))
    glyphs = int(rng.integers(3, 6)) if lines == 1 else int(rng.integers(4, 7))
    wide = side // glyphs
    tall = min(2 * wide, side // lines - 2)
    top = (side - lines * (tall + 2)) // 2
    for line in range(lines):
        for number in range(glyphs):
            strokes = (rng.random((5, 3)) < 0.62).astype(np.uint8)
            strokes[:, 0] |= rng.random() < 0.6
            rows = np.arange(tall) * 5 // tall
            columns = np.arange(wide - 2) * 3 // (wide - 2)
            start = top + line * (tall + 2)
            tile[start : start + tall, number * wide : number * wide + wide - 2] = strokes[rows][
                :, columns
            ] * (1 + line)
    return tile
