"""P x K batches (section IV-B): P people, K images of each, as a function of seed and epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from apnet.errors import ConfigError


class Draw(NamedTuple):
    """One image of an epoch."""

    record: int
    """Which record, by its place."""

    position: int
    """Its place in the epoch over all processes; it seeds the image's augmentation."""


class PKBatches:
    """The batches of any epoch.

    In an epoch every person's images are shuffled and cut into chunks of K (what is left over
    waits for another epoch); a person with fewer than K images gives one chunk, drawn with
    repetition. Each batch takes a chunk of P people drawn from those who still have one, until
    fewer than P have.

    Args:
        labels: identity of every training image.
        persons: P.
        images: K.
        seed: 0 or more.

    Raises:
        ConfigError: P or K is below 1, the seed is negative, or there are fewer than P people.
    """

    def __init__(self, labels: Sequence[int], persons: int, images: int, seed: int) -> None:
        if persons < 1 or images < 1 or seed < 0:
            raise ConfigError(
                f"sampling: persons {persons} and images {images} must be 1 or more, "
                f"seed {seed} 0 or more"
            )
        by_label: dict[int, list[int]] = {}
        for index, label in enumerate(labels):
            by_label.setdefault(int(label), []).append(index)
        if len(by_label) < persons:
            raise ConfigError(
                f"sampling: batches of {persons} persons need as many people to train on, there "
                f"are {len(by_label)}; lower sampling.persons or add people"
            )
        self._people = [np.array(by_label[label]) for label in sorted(by_label)]
        self.persons = persons
        self.images = images
        self.seed = seed

    def batches(self, epoch: int) -> list[list[int]]:
        """Returns the batches of an epoch: P * K records by their places, person after person."""
        rng = np.random.default_rng([self.seed, epoch])
        chunks = [self._chunks(indices, rng) for indices in self._people]
        left = np.array([len(of_person) for of_person in chunks])
        batches: list[list[int]] = []
        while len(available := np.flatnonzero(left)) >= self.persons:
            chosen = rng.choice(available, self.persons, replace=False)
            left[chosen] -= 1
            batches.append([record for person in chosen for record in chunks[person][left[person]]])
        return batches

    def share(self, epoch: int, rank: int, world: int) -> list[list[Draw]]:
        """Returns one process's part of every batch, whole people only.

        The parts of all ranks, in order, are exactly what ``batches`` returns.

        Args:
            epoch: 0 or more.
            rank: of this process, from 0 to ``world`` - 1.
            world: number of processes.

        Raises:
            ConfigError: P does not divide by the number of processes.
        """
        if self.persons % world:
            raise ConfigError(
                f"sampling: {self.persons} persons in a batch cannot be shared equally by {world} "
                "processes; choose sampling.persons as a multiple of them"
            )
        size = self.persons * self.images
        part = size // world
        return [
            [
                Draw(batch[place], number * size + place)
                for place in range(rank * part, (rank + 1) * part)
            ]
            for number, batch in enumerate(self.batches(epoch))
        ]

    def _chunks(self, indices: np.ndarray, rng: np.random.Generator) -> list[list[int]]:
        if len(indices) < self.images:
            return [rng.choice(indices, self.images).tolist()]
        whole = len(indices) // self.images * self.images
        shuffled = rng.permutation(indices)[:whole]
        chunks: list[list[int]] = shuffled.reshape(-1, self.images).tolist()  # (chunks, K)
        return chunks
