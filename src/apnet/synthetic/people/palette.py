"""Colours of cloth, skin and hair, from continuous ranges or short lists, and colour names."""

from __future__ import annotations

import colorsys

import numpy as np

Color = tuple[int, int, int]

SKIN: tuple[Color, ...] = (
    (236, 199, 173), (224, 178, 148), (205, 155, 120), (176, 124, 90), (138, 93, 65), (92, 61, 44),
)  # fmt: skip
HAIR: tuple[Color, ...] = (
    (20, 17, 16), (32, 24, 20), (52, 37, 27), (84, 58, 38), (126, 92, 56), (176, 145, 96),
    (104, 50, 30), (140, 138, 136), (196, 194, 190),
)  # fmt: skip
CLOTH: tuple[Color, ...] = (
    (28, 28, 31), (52, 54, 58), (92, 94, 98), (140, 142, 145), (214, 214, 210), (232, 232, 228),
    (28, 36, 62), (40, 58, 98), (86, 110, 146), (130, 156, 184), (96, 34, 38), (150, 44, 44),
    (178, 74, 92), (46, 66, 48), (84, 94, 62), (112, 84, 58), (168, 142, 108), (190, 150, 56),
    (92, 66, 104), (44, 104, 108),
)  # fmt: skip

# Share of each family of cloth colours, and its range of saturation and value (HSV).
_FAMILIES = (
    (0.20, (0.0, 0.15), (0.07, 0.18)),  # black
    (0.15, (0.0, 0.10), (0.20, 0.65)),  # greys
    (0.17, (0.0, 0.07), (0.80, 0.95)),  # white
    (0.18, (0.15, 0.50), (0.18, 0.65)),  # muted
    (0.12, (0.12, 0.38), (0.70, 0.92)),  # pastel
    (0.18, (0.50, 0.90), (0.28, 0.80)),  # saturated
)

_HUES = (
    (0.035, "red"), (0.09, "orange"), (0.18, "yellow"), (0.44, "green"), (0.53, "turquoise"),
    (0.71, "blue"), (0.83, "purple"), (0.93, "pink"), (1.01, "red"),
)  # fmt: skip


def draw_cloth(rng: np.random.Generator, continuous: float) -> Color:
    """Draws a colour of cloth: often black, grey, white or blue, sometimes bright.

    Args:
        rng: random generator.
        continuous: share of colours from continuous ranges; the others come from a short list.
    """
    if rng.random() >= continuous:
        return draw_variant(rng, CLOTH)
    shares = np.array([share for share, _, _ in _FAMILIES])
    _, saturation, value = _FAMILIES[int(rng.choice(len(_FAMILIES), p=shares / shares.sum()))]
    return from_hsv(draw_hue(rng), float(rng.uniform(*saturation)), float(rng.uniform(*value)))


def draw_hue(rng: np.random.Generator) -> float:
    """Draws a hue from 0 to 1, most often blue or red."""
    if rng.random() < 0.4:
        return float(rng.normal(0.61, 0.035) % 1)
    if rng.random() < 0.3:
        return float(rng.normal(0.0, 0.03) % 1)
    return float(rng.random())


def draw_legwear(rng: np.random.Generator, kind: str, continuous: float) -> Color:
    """Draws a colour of trousers or skirts: mostly blue for jeans, dark or earthy for others."""
    if kind == "jeans" and rng.random() < 0.75:
        hue = float(rng.normal(0.595, 0.018))
        return from_hsv(hue, float(rng.uniform(0.2, 0.68)), float(rng.uniform(0.16, 0.62)))
    if rng.random() < 0.62:
        hue = 0.09 if rng.random() < 0.45 else 0.62
        value = float(rng.uniform(0.09, 0.34))
        return from_hsv(hue, float(rng.uniform(0.02, 0.35)), value)
    if rng.random() < 0.5:
        hue, saturation = float(rng.normal(0.09, 0.02)), float(rng.uniform(0.1, 0.5))
        return from_hsv(hue, saturation, float(rng.uniform(0.35, 0.8)))
    return draw_cloth(rng, continuous)


def from_hsv(hue: float, saturation: float, value: float) -> Color:
    """Returns the RGB colour of a hue, saturation and value, each from 0 to 1."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return (round(red * 255), round(green * 255), round(blue * 255))


def vary_color(rng: np.random.Generator, color: Color, spread: float = 9) -> Color:
    """Returns a colour with small random changes of lightness and hue."""
    shift = rng.normal(0, spread) + rng.normal(0, spread / 4, 3)
    values = np.clip(np.array(color) * (1 + shift / 128), 6, 245).astype(int)
    return (int(values[0]), int(values[1]), int(values[2]))


def draw_variant(rng: np.random.Generator, palette: tuple[Color, ...]) -> Color:
    """Draws a colour of a palette and varies it slightly."""
    return vary_color(rng, palette[int(rng.integers(len(palette)))])


def color_distance(first: Color, second: Color) -> int:
    """Returns the sum of the channel differences of two colours, 0 to 765."""
    return sum(abs(a - b) for a, b in zip(first, second, strict=True))


def draw_contrasting(
    rng: np.random.Generator, color: Color, least: int, continuous: float
) -> Color:
    """Draws a cloth colour that contrasts with another.

    Args:
        rng: random generator.
        color: the other colour.
        least: the ``color_distance`` is larger than this; at most 380.
        continuous: see ``draw_cloth``.
    """
    for _ in range(12):
        other = draw_cloth(rng, continuous)
        if color_distance(color, other) > least:
            return other
    return (24, 24, 27) if sum(color) > 400 else (232, 232, 228)


def nearby_shade(rng: np.random.Generator, color: Color) -> Color:
    """Returns a similar colour that can still be distinguished, for coarse twins."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in color))
    sign = 1 if value < 0.35 or (value < 0.75 and rng.random() < 0.5) else -1
    value += sign * rng.uniform(0.13, 0.2)
    if saturation > 0.2:
        hue += float(rng.choice([-1, 1]) * rng.uniform(0.02, 0.06))
    return from_hsv(hue, saturation, float(np.clip(value, 0.03, 0.96)))


def color_name(color: Color) -> str:
    """Returns the name of a colour, one of sixteen common words."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in color))
    if value < 0.17 or (value < 0.22 and saturation < 0.3):
        return "black"
    if saturation < 0.13:
        return "white" if value > 0.75 else "grey"
    name = next(word for limit, word in _HUES if hue < limit)
    if name == "blue" and value < 0.4:
        return "navy"
    if name == "blue" and value > 0.6 and saturation < 0.5:
        return "light blue"
    if name in ("red", "orange", "yellow") and saturation < 0.55:
        if name == "yellow" and value < 0.55:
            return "olive"
        if name == "red" and value > 0.6:
            return "pink"
        return "beige" if value > 0.6 else "brown"
    if name == "orange" and value < 0.55:
        return "brown"
    return name
