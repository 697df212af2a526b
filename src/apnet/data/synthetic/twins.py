"""Twins: people who share every coarse cue and differ in a fine one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from apnet.data.synthetic.wardrobe import (
    BAG,
    BAGS,
    LOGOS,
    PATTERNS,
    SHOES,
    Look,
    draw_look,
    tinted,
)
from apnet.data.synthetic.world import World


def _other_pattern(rng: np.random.Generator, look: Look) -> dict[str, object]:
    others = [name for name in PATTERNS if name != look.pattern]
    return {"pattern": others[int(rng.integers(len(others)))]}


def _other_logo(rng: np.random.Generator, look: Look) -> dict[str, object]:
    others = [name for name in LOGOS if name != look.logo]
    return {"logo": others[int(rng.integers(len(others)))]}


def _other_bag(rng: np.random.Generator, look: Look) -> dict[str, object]:
    others = [name for name in BAGS if name != look.bag]
    return {"bag": others[int(rng.integers(len(others)))], "bag_color": tinted(rng, BAG)}


def _other_shoes(rng: np.random.Generator, look: Look) -> dict[str, object]:
    palette = tuple(color for color in SHOES if _is_light(color) != _is_light(look.shoes))
    return {"shoes": tinted(rng, palette)}


def _is_light(color: tuple[int, int, int]) -> bool:
    return sum(color) > 330


def _other_sleeves(rng: np.random.Generator, look: Look) -> dict[str, object]:
    return {"sleeve": 0.6 if look.sleeve > 1 else 2.0, "open_front": False}


def _other_hair(rng: np.random.Generator, look: Look) -> dict[str, object]:
    style = "long" if look.hair_style in ("short", "cropped", "bald") else "short"
    return {"hair_style": style, "headwear": "none"}


def _other_legs(rng: np.random.Generator, look: Look) -> dict[str, object]:
    if look.bottom_length > 1.5:
        return {"bottom": "shorts", "bottom_length": 1.05}
    return {"bottom": "trousers", "bottom_length": 2.05}


Change = Callable[[np.random.Generator, Look], dict[str, object]]

FINE_CUES: dict[str, Change] = {
    "pattern": _other_pattern,
    "logo": _other_logo,
    "bag": _other_bag,
    "shoes": _other_shoes,
    "sleeves": _other_sleeves,
    "hair": _other_hair,
    "legs": _other_legs,
}
"""What a twin can differ in, and how."""


def draw_group(
    rng: np.random.Generator, group: int, world: World
) -> list[tuple[Look, tuple[str, ...]]]:
    """Draws a group of twins: each look, with the cues in which it differs from the first."""
    twins: list[tuple[Look, tuple[str, ...]]] = [(draw_look(rng, group, world), ())]
    shares = np.array(world.group_sizes)
    size = 1 + int(rng.choice(len(shares), p=shares / shares.sum()))
    while len(twins) < size:
        twin = _draw_twin(rng, twins[0][0], world)
        if all(_cues(twin[0]) != _cues(look) for look, _ in twins):
            twins.append(twin)
    return twins


def _draw_twin(rng: np.random.Generator, look: Look, world: World) -> tuple[Look, tuple[str, ...]]:
    names = list(FINE_CUES)
    count = int(rng.integers(world.fine_cues[0], world.fine_cues[1] + 1))
    chosen = rng.choice(len(names), size=count, replace=False)
    cues = tuple(names[index] for index in sorted(chosen))
    for cue in cues:
        look = dataclasses.replace(look, **FINE_CUES[cue](rng, look))  # type: ignore[arg-type]
    return look, cues


def _cues(look: Look) -> tuple[object, ...]:
    """Returns what tells two twins apart: no two of a group may agree in all of it."""
    return (
        look.pattern,
        look.logo,
        look.bag,
        look.sleeve > 1,
        look.hair_style,
        look.bottom_length > 1.5,
        _is_light(look.shoes),
    )
