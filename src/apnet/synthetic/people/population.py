"""Draws the people of a set, in groups of twins, and assigns them to splits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apnet.synthetic.people.twins import draw_group
from apnet.synthetic.people.wardrobe import Look
from apnet.synthetic.world.plan import Counts
from apnet.synthetic.world.settings import World


@dataclass(frozen=True)
class Person:
    """One identity.

    Attributes:
        pid: identity, from 1.
        split: ``train``, ``test`` (query and gallery) or ``gallery`` (never a query); no twin of a
            training identity is in another split.
        look: appearance.
        differs: names of the cues in which the person differs from the first of the group.
        twins: looks of the others of the group; a change of clothes never makes the person look
            like one of them.
    """

    pid: int
    split: str
    look: Look
    differs: tuple[str, ...]
    twins: tuple[Look, ...] = ()


def draw_population(counts: Counts, seed: int, world: World) -> list[Person]:
    """Draws training, query and gallery-only identities, in this order.

    Training identities come from one random stream and all others from a second one. A larger set
    with the same seed therefore contains the looks of a smaller one, possibly with other pids.

    Args:
        counts: of the set.
        seed: seed of the set.
        world: how similar people are.
    """
    people: list[Person] = []
    asked, others = counts.test[0], counts.others[0]
    for stream, splits in enumerate(
        (["train"] * counts.train[0], ["test"] * asked + ["gallery"] * others)
    ):
        start, group = len(people), 0
        while len(people) - start < len(splits):
            rng = np.random.default_rng([seed, 10 + stream, group])
            drawn = draw_group(rng, group * 2 + stream, world)
            for look, differs in drawn[: len(splits) - (len(people) - start)]:
                twins = tuple(other for other, _ in drawn if other is not look)
                split = splits[len(people) - start]
                people.append(Person(len(people) + 1, split, look, differs, twins))
            group += 1
    return people
