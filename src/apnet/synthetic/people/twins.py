"""Twins: people who share nearly all cues and differ in fine cues, or slightly in coarse ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from apnet.synthetic.people.draw_look import draw_look
from apnet.synthetic.people.palette import color_distance, draw_cloth, draw_variant, nearby_shade
from apnet.synthetic.people.wardrobe import BAGS, BLOCKS, LOGOS, PATTERNS, Look, LookFields
from apnet.synthetic.world.settings import World

LIGHT_SHOES = ((228, 228, 224), (196, 176, 140))
DARK_SHOES = ((22, 22, 24), (84, 54, 34), (44, 52, 90))


def _other(rng: np.random.Generator, options: tuple[str, ...], one: str) -> str:
    others = [name for name in options if name != one]
    return others[int(rng.integers(len(others)))]


def _other_pattern(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    return {"pattern": _other(rng, PATTERNS, look.pattern)}


def _other_logo(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    return {"logo": _other(rng, LOGOS, look.logo)}


def _other_bag(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    return {"bag": _other(rng, BAGS, look.bag), "bag_color": draw_cloth(rng, world.palette)}


def _other_shoes(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    return {"shoes": draw_variant(rng, DARK_SHOES if is_light(look.shoes) else LIGHT_SHOES)}


def is_light(color: tuple[int, int, int]) -> bool:
    """Returns whether a colour is light."""
    return sum(color) > 330


def _other_sleeves(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    return {"sleeve": 0.6 if look.sleeve > 1 else 2.0, "open_front": False}


def _other_hair(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    long_hair = look.hair_style in ("long", "fringe", "bob", "ponytail", "bun", "braids", "afro")
    return {"hair_style": "short" if long_hair else "long", "headwear": "none"}


def _other_legs(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    if look.bottom_length > 1.5:
        return {"bottom": "shorts", "bottom_length": 1.05}
    return {"bottom": "trousers", "bottom_length": 2.05}


def _other_cut(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    return {"block": _other(rng, BLOCKS, look.block)}


def _other_top_color(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    return {"top_color": nearby_shade(rng, look.top_color)}


def _other_leg_color(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    return {"bottom_color": nearby_shade(rng, look.bottom_color)}


def _other_bottom(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    if look.bottom in ("shorts", "skirt"):
        shorter = look.bottom_length > 0.85
        return {"bottom_length": look.bottom_length + (-0.3 if shorter else 0.35)}
    return {"bottom": "flared" if look.bottom != "flared" else "joggers"}


Change = Callable[[np.random.Generator, Look, World], LookFields]

FINE_CUES: dict[str, Change] = {
    "pattern": _other_pattern,
    "logo": _other_logo,
    "bag": _other_bag,
    "shoes": _other_shoes,
    "sleeves": _other_sleeves,
    "hair": _other_hair,
    "legs": _other_legs,
    "cut": _other_cut,
}
"""Cues in which a fine twin can differ, with the function that changes each."""

COARSE_CUES: dict[str, Change] = {
    "top colour": _other_top_color,
    "leg colour": _other_leg_color,
    "bottom": _other_bottom,
}
"""Cues in which a coarse twin differs, by a shade or a cut."""

CUE_FIELDS: dict[str, tuple[str, ...]] = {
    "pattern": ("pattern",),
    "logo": ("logo",),
    "bag": ("bag",),
    "shoes": ("shoes",),
    "sleeves": ("sleeve",),
    "hair": ("hair_style",),
    "legs": ("bottom", "bottom_length"),
    "cut": ("block",),
    "top colour": ("top_color",),
    "leg colour": ("bottom_color",),
    "bottom": ("bottom", "bottom_length"),
}
"""Fields of a look that represent each cue; two twins are compared by them."""


def differ_in(cue: str, first: Look, second: Look) -> bool:
    """Returns whether two looks of a group differ in a cue."""
    return any(getattr(first, name) != getattr(second, name) for name in CUE_FIELDS[cue])


def draw_group(
    rng: np.random.Generator, group: int, world: World
) -> list[tuple[Look, tuple[str, ...]]]:
    """Draws a group of twins: looks, each with the cues in which it differs from the first."""
    twins: list[tuple[Look, tuple[str, ...]]] = [(draw_look(rng, group, world), ())]
    shares = np.array(world.group_sizes)
    size = 1 + int(rng.choice(len(shares), p=shares / shares.sum()))
    changes = COARSE_CUES if rng.random() < world.coarse_twins else FINE_CUES
    while len(twins) < size:
        twin = _draw_twin(rng, twins[0][0], world, changes)
        if all(visibly_differ(twin[0], look) for look, _ in twins):
            twins.append(twin)
    return twins


def _draw_twin(
    rng: np.random.Generator, look: Look, world: World, changes: dict[str, Change]
) -> tuple[Look, tuple[str, ...]]:
    names = [name for name in changes if name != "leg colour" or look.top != "dress"]
    count = int(rng.integers(world.fine_cues[0], world.fine_cues[1] + 1))
    chosen = rng.choice(len(names), size=min(count, len(names)), replace=False)
    cues = tuple(names[index] for index in sorted(chosen))
    for cue in cues:
        changed = changes[cue](rng, look, world)
        look = dataclasses.replace(look, **changed)  # type: ignore[arg-type]
    return look, cues


SHADE_TOLERANCE = 36
"""Colours with at most this ``color_distance`` count as the same."""


def visibly_differ(first: Look, second: Look) -> bool:
    """Returns whether two looks of a group differ in a visible cue."""
    if _discrete_cues(first) != _discrete_cues(second):
        return True
    shades = [(first.top_color, second.top_color)]
    if first.top != "dress":  # a dress hides the colour of trousers
        shades.append((first.bottom_color, second.bottom_color))
    return any(color_distance(one, other) > SHADE_TOLERANCE for one, other in shades)


def _discrete_cues(look: Look) -> tuple[object, ...]:
    return (
        look.pattern,
        look.logo,
        look.bag,
        look.block,
        look.sleeve > 1,
        look.hair_style,
        look.bottom,
        round(look.bottom_length / 0.2),
        is_light(look.shoes),
    )
