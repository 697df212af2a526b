"""Who lives in the town: people in groups of twins, some to train on and some to be tested on."""

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
        pid: from 1.
        split: ``train``, ``test`` or ``gallery`` (never asked for); no twin of one who trains is
            tested on.
        look: what they look like.
        differs: the cues, fine or coarse, in which this person differs from the first of the group.
        twins: the looks of the others of the group, whom no change of clothes may make them.
    """

    pid: int
    split: str
    look: Look
    differs: tuple[str, ...]
    twins: tuple[Look, ...] = ()


def draw_population(counts: Counts, seed: int, world: World) -> list[Person]:
    """Draws those who train, those who are asked for, and those who are in the gallery only.

    The first train from one stream and the rest comes from another: making more people keeps those
    that were there, though perhaps under other pids.
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
