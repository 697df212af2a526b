"""Changes of a person's look between cameras: no bag, open jacket, hood up, umbrella."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from apnet.synthetic.people.palette import draw_cloth
from apnet.synthetic.people.twins import visibly_differ
from apnet.synthetic.people.wardrobe import OPENS, Look, LookFields
from apnet.synthetic.world.settings import World


def _bag(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    return {} if look.bag == "none" else {"bag": "none"}


def _front(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    return {"open_front": not look.open_front} if look.top in OPENS else {}


def _hood(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    return {"headwear": "hood"} if look.top == "hoodie" and look.headwear == "none" else {}


def _hat(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    return {"headwear": "none"} if look.headwear in ("cap", "beanie", "hat", "helmet") else {}


def _glasses(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    if world.faces == 0:
        return {}
    return {"glasses": "sunglasses" if look.glasses == "none" else "none"}


def _hand(rng: np.random.Generator, look: Look, world: World) -> LookFields:
    if look.prop != "none" or look.bag == "handbag":
        return {}
    held = ("phone", "call", "shopping", "folder")
    return {"prop": held[int(rng.integers(len(held)))], "prop_color": draw_cloth(rng, 1.0)}


CHANGES: dict[str, Callable[[np.random.Generator, Look, World], LookFields]] = {
    "bag": _bag,
    "front": _front,
    "hood": _hood,
    "hat": _hat,
    "glasses": _glasses,
    "hand": _hand,
}
"""Possible changes by name; each returns no fields if it does not apply to a look."""


def look_in_camera(
    look: Look,
    rng: np.random.Generator,
    world: World,
    others: tuple[Look, ...] = (),
    *,
    rain: bool = False,
) -> tuple[Look, tuple[str, ...]]:
    """Draws the look of a person in one camera.

    Args:
        look: usual look of the person.
        rng: random generator of this person and camera.
        world: with the shares ``worn_changes``, ``umbrellas`` and ``sitting``.
        others: looks of the person's twins; a change that would make the person look like one of
            them is dropped.
        rain: whether it rains at the camera.

    Returns:
        The look, and the names of the changes: keys of ``CHANGES``, ``umbrella`` or
        ``bench``.
    """
    changed: list[str] = []
    if rain and rng.random() < world.umbrellas and look.prop in ("none", "folder"):
        color = draw_cloth(rng, world.palette)
        cues: LookFields = {"prop": "umbrella", "prop_color": color}
        look = _apply_change(look, cues, others, "umbrella", changed)
    elif not rain and rng.random() < world.sitting and look.prop not in ("pram", "bicycle"):
        look = _apply_change(look, {"prop": "bench"}, others, "bench", changed)
    for name, change in CHANGES.items():
        if rng.random() < world.worn_changes:
            look = _apply_change(look, change(rng, look, world), others, name, changed)
    return look, tuple(changed)


def _apply_change(
    look: Look, cues: LookFields, others: tuple[Look, ...], name: str, changed: list[str]
) -> Look:
    """Returns the changed look and appends its name, unless it looks like one of the others."""
    if not cues:
        return look
    new = dataclasses.replace(look, **cues)  # type: ignore[arg-type]
    if not all(visibly_differ(new, other) for other in others):
        return look
    changed.append(name)
    return new
