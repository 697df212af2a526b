"""P x K batches (section IV-B): P identities, K images of each, for any seed and epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from apnet.errors import ConfigError

_Chunk = list[int]
"""K records of one identity."""


class Draw(NamedTuple):
    """One image of an epoch."""

    record: int
    """Index of the record."""

    position: int
    """Position in the epoch over all processes; it seeds the image's augmentation."""


class PKBatches:
    """The batches of any epoch, as a function of seed and epoch.

    In an epoch the images of every identity are shuffled and cut into chunks of K (a remainder of
    fewer than K images is left out); an identity with fewer than K images gives one chunk, drawn
    with replacement. Each batch takes one chunk of each of P identities, drawn at random from those
    that have a chunk left; the epoch ends when fewer than P have one.

    With ``groups`` every batch takes P / S identities from each of the S groups, in turn
    (first, second, ..., first, second, ...). The epoch lasts until the group with the most batches
    is used up; smaller groups start over with a fresh shuffle.

    Args:
        labels: identity of every training image.
        identities_per_batch: P.
        images_per_identity: K.
        seed: 0 or more.
        groups: the group (data set) of every training image; None draws identities from all
            images alike. An identity belongs to one group.

    Raises:
        ConfigError: P or K is below 1, P * K is 1, the seed is negative, an identity is in two
            groups, P is no multiple of the number of groups, or there are too few identities.
    """

    def __init__(
        self,
        labels: Sequence[int],
        identities_per_batch: int,
        images_per_identity: int,
        seed: int,
        groups: Sequence[int] | None = None,
    ) -> None:
        _verify_sizes(identities_per_batch, images_per_identity, seed)
        self.identities_per_batch = identities_per_batch
        self.images_per_identity = images_per_identity
        self.seed = seed
        self._groups = _by_group(labels, [0] * len(labels) if groups is None else groups)
        self._verify_groups()

    def batches(self, epoch: int) -> list[list[int]]:
        """Returns the batches of an epoch: P * K indices of records, identity after identity."""
        rng = np.random.default_rng([self.seed, epoch])
        passes = [list(self._parts(group, rng)) for group in self._groups]
        count = max(map(len, passes))
        for group, parts in zip(self._groups, passes, strict=True):
            while len(parts) < count:
                parts.extend(self._parts(group, rng))
        return [
            [record for chunks in zip(*parts, strict=True) for chunk in chunks for record in chunk]
            for parts in zip(*(parts[:count] for parts in passes), strict=True)
        ]

    def share(self, epoch: int, rank: int, world: int) -> list[list[Draw]]:
        """Returns one process's part of every batch: P / world whole identities.

        The parts of all ranks, in order, are exactly what ``batches`` returns. As a batch takes
        identities from the groups in turn, the numbers of identities that a part has of any two
        groups differ by one at most.

        Args:
            epoch: 0 or more.
            rank: of this process, from 0 to ``world`` - 1.
            world: number of processes.

        Raises:
            ConfigError: P is no multiple of the number of processes, or a part is a single image.
        """
        if self.identities_per_batch % world:
            raise ConfigError(
                f"sampling: {self.identities_per_batch} identities per batch cannot be shared "
                f"equally by {world} processes; choose sampling.identities_per_batch as a multiple "
                f"of {world}"
            )
        size = self.identities_per_batch * self.images_per_identity
        part = size // world
        _verify_more_than_one_image(part, f"in each of {world} processes")
        return [
            [
                Draw(batch[place], number * size + place)
                for place in range(rank * part, (rank + 1) * part)
            ]
            for number, batch in enumerate(self.batches(epoch))
        ]

    def _verify_groups(self) -> None:
        wanted, groups = self.identities_per_batch, len(self._groups)
        if groups and wanted % groups:
            raise ConfigError(
                f"sampling: {wanted} identities per batch cannot be taken equally from {groups} "
                f"data sets; choose sampling.identities_per_batch as a multiple of {groups}, or do "
                "not balance by data set"
            )
        fewest = min(map(len, self._groups), default=0)
        if groups > 1 and fewest < wanted // groups:
            raise ConfigError(
                f"sampling: batches of {wanted} identities need {wanted // groups} from each of "
                f"{groups} data sets, one set has {fewest}; lower sampling.identities_per_batch or "
                "do not balance by data set"
            )
        if groups <= 1 and fewest < wanted:
            raise ConfigError(
                f"sampling: batches of {wanted} identities need as many to train on, there are "
                f"{fewest}; lower sampling.identities_per_batch or add identities"
            )

    def _parts(
        self, identities: Sequence[np.ndarray], rng: np.random.Generator
    ) -> Iterator[list[_Chunk]]:
        """Yields one group's part of every batch: P / S chunks, until too few have one left."""
        size = self.identities_per_batch // len(self._groups)
        chunks = [self._chunks(records, rng) for records in identities]
        left = np.array([len(of_identity) for of_identity in chunks])
        while len(available := np.flatnonzero(left)) >= size:
            chosen = rng.choice(available, size, replace=False)
            left[chosen] -= 1
            yield [chunks[identity][left[identity]] for identity in chosen]

    def _chunks(self, records: np.ndarray, rng: np.random.Generator) -> list[_Chunk]:
        if len(records) < self.images_per_identity:
            return [rng.choice(records, self.images_per_identity).tolist()]
        whole = len(records) // self.images_per_identity * self.images_per_identity
        shuffled = rng.permutation(records)[:whole]
        chunks: list[_Chunk] = shuffled.reshape(-1, self.images_per_identity).tolist()
        return chunks  # (chunks, K)


def _verify_sizes(identities: int, images: int, seed: int) -> None:
    if identities < 1 or images < 1 or seed < 0:
        raise ConfigError(
            f"sampling: identities_per_batch {identities} and images_per_identity {images} must be "
            f"1 or more, seed {seed} 0 or more"
        )
    _verify_more_than_one_image(identities * images, "in a batch")


def _verify_more_than_one_image(images: int, where: str) -> None:
    if images == 1:
        raise ConfigError(
            f"sampling: one image {where}, and batch normalisation needs two; raise "
            "sampling.identities_per_batch or sampling.images_per_identity"
        )


def _by_group(labels: Sequence[int], groups: Sequence[int]) -> list[list[np.ndarray]]:
    """Returns for each group, in order, the records of each of its identities, in order."""
    by_group: dict[int, dict[int, list[int]]] = {}
    for record, (label, group) in enumerate(zip(labels, groups, strict=True)):
        by_group.setdefault(int(group), {}).setdefault(int(label), []).append(record)
    if sum(map(len, by_group.values())) > len({int(label) for label in labels}):
        raise ConfigError("sampling: an identity is in two groups; give every group its own labels")
    return [
        [np.array(by_label[label]) for label in sorted(by_label)]
        for _, by_label in sorted(by_group.items())
    ]
