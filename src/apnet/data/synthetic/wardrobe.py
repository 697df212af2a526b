"""What a person looks like: a flat list of cues, drawn so that many people share the coarse ones.

People come in groups of *twins*: same build, hair, top and trousers. Two twins differ in one or two
fine cues only (see ``twins``), so that matching colours does not tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apnet.data.synthetic.body import body_model
from apnet.data.synthetic.world import World

Color = tuple[int, int, int]

SKIN: tuple[Color, ...] = (
    (236, 199, 173), (224, 178, 148), (205, 155, 120), (176, 124, 90), (138, 93, 65), (92, 61, 44),
)  # fmt: skip
HAIR: tuple[Color, ...] = (
    (24, 20, 18), (38, 28, 22), (64, 44, 30), (96, 66, 40), (150, 112, 66), (190, 160, 105),
    (112, 52, 30), (150, 148, 146),
)  # fmt: skip
CLOTH: tuple[Color, ...] = (
    (28, 28, 31), (28, 28, 31), (52, 54, 58), (92, 94, 98), (140, 142, 145), (214, 214, 210),
    (232, 232, 228), (28, 36, 62), (40, 58, 98), (86, 110, 146), (130, 156, 184), (96, 34, 38),
    (150, 44, 44), (178, 74, 92), (196, 140, 150), (46, 66, 48), (84, 94, 62), (120, 140, 110),
    (112, 84, 58), (168, 142, 108), (204, 188, 160), (190, 150, 56), (176, 96, 44), (92, 66, 104),
    (44, 104, 108),
)  # fmt: skip
NEUTRALS: tuple[Color, ...] = (
    (28, 28, 31), (64, 66, 70), (120, 122, 125), (176, 176, 174), (232, 232, 228), (30, 40, 70),
)  # fmt: skip
LEGWEAR: tuple[Color, ...] = (
    (26, 26, 29), (26, 26, 29), (44, 46, 50), (78, 80, 84), (30, 38, 62), (48, 64, 96),
    (78, 98, 130), (112, 134, 160), (118, 98, 74), (166, 148, 118), (70, 74, 54), (206, 204, 196),
)  # fmt: skip
SHOES: tuple[Color, ...] = (
    (22, 22, 24), (228, 228, 224), (112, 76, 48), (150, 40, 40), (50, 70, 120), (196, 176, 140),
    (90, 92, 96), (200, 170, 60),
)  # fmt: skip
BAG: tuple[Color, ...] = (
    (24, 24, 26), (70, 52, 38), (150, 44, 44), (44, 62, 104), (70, 84, 58), (190, 160, 60),
    (206, 200, 190), (120, 122, 126),
)  # fmt: skip

PATTERNS = ("plain", "stripes", "pinstripes", "checks", "dots", "camouflage", "yoke", "panel")
LOGOS = ("none", "disc", "square", "bar", "letters", "chevron")
BAGS = ("none", "backpack", "shoulder", "handbag")
HAIR_STYLES = ("short", "cropped", "long", "ponytail", "bun", "bald")
HEADWEAR = ("none", "cap", "beanie", "hood", "scarf")
TOPS = ("shirt", "sweater", "jacket", "coat")
BOTTOMS = ("trousers", "loose", "shorts", "skirt")


@dataclass(frozen=True)
class Look:
    """Everything visible of a person that does not change between cameras."""

    group: int
    """Twins share a group."""
    body: int
    """Row of the body model's ``coefficients``."""
    other_body: int
    """Row of a second body."""
    build: float
    """Share of the second body, 0 to 0.3."""
    skin: Color
    hair: Color
    hair_style: str
    headwear: str
    headwear_color: Color
    top: str
    top_color: Color
    top_second: Color
    pattern: str
    pattern_scale: float
    logo: str
    logo_color: Color
    sleeve: float
    """1.0 ends at the elbow, 2.0 at the wrist."""
    open_front: bool
    bottom: str
    bottom_color: Color
    bottom_length: float
    """1.0 ends at the knee, 2.0 at the ankle."""
    shoes: Color
    bag: str
    bag_color: Color


def _contrasting(rng: np.random.Generator, color: Color, least: int) -> Color:
    """Draws a cloth colour whose channels differ by ``least`` in all; mostly a neutral one."""
    palette = NEUTRALS if rng.random() < 0.6 else CLOTH
    far = [
        other
        for other in palette
        if sum(abs(a - b) for a, b in zip(color, other, strict=True)) > least
    ]
    return far[int(rng.integers(len(far)))]


def _varied(rng: np.random.Generator, color: Color, spread: float = 9) -> Color:
    shift = rng.normal(0, spread) + rng.normal(0, spread / 4, 3)  # mostly lighter or darker
    values = np.clip(np.array(color) * (1 + shift / 128), 6, 245).astype(int)
    return (int(values[0]), int(values[1]), int(values[2]))


def _pick(rng: np.random.Generator, options: tuple[str, ...], weights: list[float]) -> str:
    return options[int(rng.choice(len(options), p=np.array(weights) / sum(weights)))]


def tinted(rng: np.random.Generator, palette: tuple[Color, ...]) -> Color:
    """Draws a colour of a palette, a little lighter or darker."""
    return _varied(rng, palette[int(rng.integers(len(palette)))])


def draw_look(rng: np.random.Generator, group: int, world: World) -> Look:
    """Draws the look that a group of twins starts from."""
    bodies = len(body_model().coefficients)
    top_color, top = tinted(rng, CLOTH), _pick(rng, TOPS, [4, 3, 3, 1])
    bottom = _pick(rng, BOTTOMS, [6, 3, 1.5, 1.5])
    return Look(
        group=group,
        body=int(rng.integers(bodies)),
        other_body=int(rng.integers(bodies)),
        build=float(rng.uniform(0, 0.3)),
        skin=_varied(rng, SKIN[int(rng.integers(len(SKIN)))], 5),
        hair=_varied(rng, HAIR[int(rng.integers(len(HAIR)))], 5),
        hair_style=_pick(rng, HAIR_STYLES, [5, 3, 4, 2, 1, 1]),
        headwear=_pick(rng, HEADWEAR, [14, 1.5, 1, 1, 1]),
        headwear_color=tinted(rng, CLOTH),
        top=top,
        top_color=top_color,
        top_second=_contrasting(rng, top_color, 150),
        pattern=_pick(rng, PATTERNS, [9, 2, 1, 2, 1, 1, 2, 1]),
        pattern_scale=float(rng.uniform(0.7, 1.4)),
        logo=_pick(rng, LOGOS, [5, 1, 1, 1, 1, 1]),
        logo_color=_contrasting(rng, top_color, 220),
        sleeve=2.0 if top in ("jacket", "coat") else float(rng.choice([0.55, 0.75, 2.0])),
        open_front=top in ("jacket", "coat") and bool(rng.random() < 0.4),
        bottom=bottom,
        bottom_color=tinted(rng, LEGWEAR),
        bottom_length=float(rng.uniform(0.75, 1.15)) if bottom in ("shorts", "skirt") else 2.05,
        shoes=tinted(rng, SHOES),
        bag=_pick(rng, BAGS, [5, 2, 1.5, 1.5]),
        bag_color=tinted(rng, BAG),
    )
