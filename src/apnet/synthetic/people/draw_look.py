"""Draws the look of a person: build, head, top, print, trousers, accessories and gait."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from apnet.synthetic.people.body import body_model
from apnet.synthetic.people.palette import (
    HAIR,
    SKIN,
    draw_cloth,
    draw_contrasting,
    draw_legwear,
    vary_color,
)
from apnet.synthetic.people.wardrobe import (
    BAGS,
    BEARDS,
    BLOCKS,
    BOTTOMS,
    FOOTWEAR,
    GLASSES,
    HAIR_STYLES,
    HEADWEAR,
    LEG_DETAILS,
    LOGOS,
    LONG_SLEEVED,
    OPENS,
    PATTERNS,
    PROPS,
    TOPS,
    Look,
    LookFields,
)
from apnet.synthetic.world.settings import World


def pick(rng: np.random.Generator, options: tuple[str, ...], weights: Sequence[float]) -> str:
    """Draws an option with a probability proportional to its weight."""
    return options[int(rng.choice(len(options), p=np.array(weights) / sum(weights)))]


@functools.cache
def shoulder_rank() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Returns the (B,) rank, 0 to 1, of each body by shoulder width relative to hip width."""
    model = body_model()
    width = []
    for name in ("upperarm.L", "upperleg.L"):
        place = model.vertex_count + model.joint(name)
        width.append(model.mean[place, 0] + model.coefficients @ model.components[:, place, 0])
    ratio = width[0] / width[1]
    return np.asarray(ratio.argsort().argsort() / (len(ratio) - 1), dtype=np.float64)


def draw_look(rng: np.random.Generator, group: int, world: World) -> Look:
    """Draws the look of the first person of a group of twins.

    Args:
        rng: random generator.
        group: number of the group; -1 for passers-by.
        world: shares and strengths of cues.
    """
    body = int(rng.integers(len(body_model().coefficients)))
    broad = bool(shoulder_rank()[body] + rng.normal(0, 0.15) > 0.5)
    cues: dict[str, object] = {"group": group, "body": body}
    makers = (_build, _head, _top, _print, _bottom, _extras, _gait)
    seeds = rng.integers(
        1 << 62, size=len(makers)
    )  # so that, for example, another share of hats does not change the gait
    for draw, seed in zip(makers, seeds, strict=True):
        cues.update(draw(np.random.default_rng(seed), world, broad, cues))
    return Look(**cues)  # type: ignore[arg-type]


def _build(rng: np.random.Generator, world: World, broad: bool, cues: LookFields) -> LookFields:
    return {
        "other_body": int(rng.integers(len(body_model().coefficients))),
        "build": float(rng.uniform(0, 0.3)),
        "skin": vary_color(rng, SKIN[int(rng.choice(6, p=[0.27, 0.25, 0.18, 0.12, 0.1, 0.08]))], 6),
        "texture": float(min(1.0, world.texture * rng.uniform(0.7, 1.0))),
    }


def _head(rng: np.random.Generator, world: World, broad: bool, cues: LookFields) -> LookFields:
    weights = (
        [9, 4, 4, 3, 2, 1.5, 0.4, 0.2, 0.5, 0.1, 0.3, 0.2, 0.1]
        if broad
        else [1.5, 0.3, 0.5, 0, 0, 1, 0.5, 2.5, 5, 2.5, 4, 2, 1]
    )
    worn = rng.random() < world.headwear
    featured = world.faces > 0
    return {
        "hair": vary_color(rng, HAIR[int(rng.integers(len(HAIR)))], 7),
        "hair_style": pick(rng, HAIR_STYLES, weights),
        "beard": pick(rng, BEARDS, [5, 2, 1, 2] if broad and featured else [1, 0, 0, 0]),
        "glasses": pick(rng, GLASSES, [8, 1.6, 0.7] if featured else [1, 0, 0]),
        "face": world.faces,
        "headwear": pick(rng, HEADWEAR, [0, 4, 3, 0.5 if broad else 3, 1, 0.8, 0])
        if worn
        else "none",
        "headwear_color": draw_cloth(rng, world.palette),
    }


def _top(rng: np.random.Generator, world: World, broad: bool, cues: LookFields) -> LookFields:
    weights = (
        [7, 3, 0.7, 5, 4, 3, 4, 2, 2.5, 1.2, 0] if broad else [6, 1.5, 2, 3, 4, 2, 3, 2, 1.5, 2, 5]
    )
    top = pick(rng, TOPS, weights)
    color = draw_cloth(rng, world.palette)
    second = draw_contrasting(rng, color, 150, world.palette)
    light = draw_cloth(rng, world.palette) if rng.random() < 0.5 else (225, 226, 228)
    sleeve = float(rng.uniform(0.45, 0.85))
    if top in LONG_SLEEVED or (top in ("shirt", "sweater", "dress") and rng.random() < 0.7):
        sleeve = 2.0 if rng.random() < 0.8 else float(rng.uniform(1.2, 1.8))
    if top == "tank" or (top == "dress" and rng.random() < 0.3):
        sleeve = 0.14
    blocked = top not in ("blazer", "coat", "tank") and rng.random() < world.blocks * (
        world.patterns > 0
    )
    return {
        "top": top,
        "top_color": color,
        "top_second": second,
        "top_third": draw_contrasting(rng, second, 110, world.palette),
        "inner_color": draw_contrasting(rng, color, 120, world.palette)
        if rng.random() < 0.6
        else light,
        "block": pick(rng, BLOCKS, [0, 3, 2, 3, 2, 1.5, 2, 0.7]) if blocked else "none",
        "sleeve": sleeve,
        "open_front": top in OPENS and bool(rng.random() < (0.15 if top == "shirt" else 0.4)),
        "tucked": top in ("tee", "polo", "tank", "shirt") and bool(rng.random() < 0.35),
        "tie": top in ("blazer", "shirt", "coat") and broad and bool(rng.random() < 0.2),
    }


def _print(rng: np.random.Generator, world: World, broad: bool, cues: LookFields) -> LookFields:
    color, top = cues["top_color"], str(cues["top"])
    patterned = rng.random() < world.patterns * (0.4 if top in ("blazer", "coat", "puffer") else 1)
    weights = [0, 2.5, 3, 1, 2, 4, 1, 2 if not broad else 0.5, 1, 1, 0.7, 1]
    printed = world.logos * (0.3 if top in ("shirt", "blazer", "coat", "dress") else 1)
    small = rng.random() < 0.35
    return {
        "pattern": pick(rng, PATTERNS, weights) if patterned else "plain",
        "pattern_scale": float(np.exp(rng.uniform(-0.45, 0.45))),
        "pattern_angle": float(rng.normal(0, 0.03)),
        "pattern_seed": int(rng.integers(1, 1 << 20)),
        "logo": LOGOS[int(rng.integers(1, len(LOGOS)))] if rng.random() < printed else "none",
        "logo_color": draw_contrasting(rng, color, 220, world.palette),  # type: ignore[arg-type]
        "logo_size": float(rng.uniform(0.028, 0.045) if small else rng.uniform(0.06, 0.12)),
        "logo_side": 0.075 if small else 0.0,
        "back_logo": LOGOS[int(rng.integers(1, len(LOGOS)))]
        if rng.random() < 0.5 * printed
        else "none",
        "back_color": draw_contrasting(rng, color, 220, world.palette),  # type: ignore[arg-type]
    }


def _bottom(rng: np.random.Generator, world: World, broad: bool, cues: LookFields) -> LookFields:
    weights = [6, 7, 0.4, 2, 0.1, 2, 0] if broad else [2.5, 5, 1.5, 1, 2.5, 1.5, 3]
    bottom = "skirt" if cues["top"] == "dress" else pick(rng, BOTTOMS, weights)
    length = {
        "shorts": rng.uniform(0.5, 1.12),
        "skirt": rng.uniform(0.45, 1.75) if rng.random() < 0.35 else rng.uniform(0.45, 1.05),
        "leggings": rng.uniform(1.7, 1.95),
    }.get(bottom, 2.05)
    detail = [6, 3, 0] if bottom == "joggers" else [12, 0.6, 1]
    color = draw_legwear(rng, bottom, world.palette)
    return {
        "bottom": bottom,
        "bottom_color": color,
        "bottom_length": float(length),
        "leg_detail": pick(rng, LEG_DETAILS, detail)
        if bottom in ("joggers", "trousers", "shorts") and world.patterns > 0
        else "none",
        "leg_second": draw_contrasting(rng, color, 150, world.palette),
        "fade": float(rng.uniform(0, 1)) if bottom in ("jeans", "flared") else 0.0,
        "flare": float(rng.uniform(0, 0.16) if rng.random() < 0.5 else rng.uniform(0.16, 0.5)),
        "belt": vary_color(rng, ((30, 26, 24), (74, 48, 30))[int(rng.integers(2))]),
    }


def _extras(rng: np.random.Generator, world: World, broad: bool, cues: LookFields) -> LookFields:
    footwear = pick(rng, FOOTWEAR, [6, 4, 1.5, 0, 0.3] if broad else [5, 2, 2, 2, 0.8])
    leather = footwear in ("shoes", "boots") and rng.random() < 0.7
    shoes = ((24, 22, 22), (84, 54, 34), (50, 34, 26))[int(rng.integers(3))]
    carried = rng.random() < world.bags
    weights = [0, 4, 1.5, 2, 0.5] if broad else [0, 2, 3, 2, 3]
    return {
        "footwear": footwear,
        "shoes": vary_color(rng, shoes) if leather else draw_cloth(rng, world.palette),
        "bag": pick(rng, BAGS, weights) if carried else "none",
        "bag_color": draw_cloth(rng, world.palette),
        "prop": pick(rng, PROPS, [0, 0, 0, 0, 1.5, 3, 2, 1, 1, 0])
        if rng.random() < world.props
        else "none",
        "prop_color": draw_cloth(rng, world.palette),
    }


def _gait(rng: np.random.Generator, world: World, broad: bool, cues: LookFields) -> LookFields:
    habit = rng.normal(0, world.gait, 6)
    return {
        "stride": float(np.clip(0.4 + 0.07 * habit[0], 0.24, 0.58)),
        "arm_swing": float(np.clip(0.8 + 0.3 * habit[1], 0.15, 1.5)),
        "elbow": float(np.clip(0.25 + 0.15 * habit[2], 0.05, 0.8)),
        "lean": float(0.04 + 0.03 * habit[3]),
        "toes": float(0.06 + 0.09 * habit[4]),
        "sway": float(abs(0.03 + 0.025 * habit[5])) * (0.7 if broad else 1.3),
    }
