"""Who lives in the town: people in groups of twins, half to train on and half to be tested on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apnet.data.synthetic.twins import draw_group
from apnet.data.synthetic.wardrobe import Look
from apnet.data.synthetic.world import World


@dataclass(frozen=True)
class Person:
    """One identity.

    Attributes:
        pid: from 1.
        split: ``train`` or ``test``; twins are on the same side.
        look: what they look like.
        differs: the fine cues in which this person differs from the first of the group.
    """

    pid: int
    split: str
    look: Look
    differs: tuple[str, ...]


def draw_population(ids: int, seed: int, world: World) -> list[Person]:
    """Draws ``ids`` people; the first half of the pids trains.

    Each half draws its own stream: making more people keeps those that were there, under other
    pids in the test half.
    """
    train = ids // 2
    people: list[Person] = []
    for split, count, stream in (("train", train, 0), ("test", ids - train, 1)):
        group = 0
        start = len(people)
        while len(people) - start < count:
            rng = np.random.default_rng([seed, 10 + stream, group])
            for look, differs in draw_group(rng, group * 2 + stream, world):
                if len(people) - start < count:
                    people.append(Person(len(people) + 1, split, look, differs))
            group += 1
    return people
