"""Searches of galleries of any size, without drawing galleries.

For each image as the query, k of K other people have a best image that reaches a threshold. A
gallery of N people drawn at random from the K then returns somebody with probability
1 - C(K - k, N) / C(K, N). Beyond K people the mean F(K) over queries goes on as
1 - (1 - F(K))^(N / K), which is the largest that it can be: queries differ, and those that return
nobody among K are returned somebody less often than the mean of all.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.calibration.grid import COUNT, Grid, reaching
from apnet.calibration.people import People

Floats = NDArray[np.float64]

_SEED = 1


@dataclass
class Searches:
    """Sums over queries; M numbers of images per identity, S sizes, T thresholds, B draws.

    Attributes:
        images: M numbers of images per identity.
        sizes: S numbers of people.
        grid: of similarities.
        weights: (P, B) bootstrap weights of people.
        chosen: (C, P, most images) images of each person that a query of a camera is compared
            with, -1 where there are no more.
        found: (M, S, T) sum over all images of the probability that somebody else is returned;
            ``queries`` their number.
        found_drawn: (B, M, S, T) the same, weighted, per draw; ``queries_drawn`` (B,).
        named: (P, M, S, T) sum of the probability that the person is returned first;
            ``named_queries`` (P,) the images of people who can be.
    """

    images: tuple[int, ...]
    sizes: tuple[int, ...]
    grid: Grid
    weights: NDArray[np.float32]
    chosen: NDArray[np.int64]
    found: Floats
    queries: int
    found_drawn: Floats
    queries_drawn: Floats
    named: Floats
    named_queries: Floats

    @classmethod
    def empty(
        cls,
        people: People,
        weights: NDArray[np.float32],
        images: Sequence[int],
        sizes: Sequence[int],
    ) -> Searches:
        """Returns sums of nothing yet."""
        size, draws = weights.shape
        shape = (len(images), len(sizes), COUNT)
        return cls(
            tuple(images),
            tuple(sizes),
            people.grid,
            weights,
            _chosen(people, max(images)),
            np.zeros(shape),
            0,
            np.zeros((draws, *shape)),
            np.zeros(draws),
            np.zeros((size, *shape)),
            np.zeros(size),
        )

    @property
    def gallery_images(self) -> tuple[float, ...]:
        """M numbers of images per identity that galleries really have, as people give no more."""
        available = (self.chosen >= 0).sum(axis=2)  # (C, P)
        known = available[available > 0]
        return tuple(float(np.minimum(known, images).mean()) for images in self.images)

    def false_positives(self) -> Floats:
        """Returns (M, S, T) the share of searches for somebody who is not there that find one."""
        most = len(self.weights) - 1
        left = 1 - np.clip(self.found / self.queries, 0, 1)
        for row, size in enumerate(self.sizes):
            if size > most:
                left[:, row] **= size / most
        return 1 - left

    def false_negatives(self, weights: Floats) -> Floats:
        """Returns (..., M, S, T) the share of searches that do not name the right one first.

        Args:
            weights: (..., P) of people; the right one is there.
        """
        named = np.tensordot(weights, self.named, axes=1)
        named /= np.tensordot(weights, self.named_queries, axes=1)[..., None, None, None]
        alone = named[..., :1, :].copy()  # of a gallery of one: whoever passes the threshold
        most = len(self.weights) - 1
        for row, size in enumerate(self.sizes):
            if size - 1 > most:
                share = named[..., row, :] / np.maximum(alone[..., 0, :], 1e-12)
                named[..., row, :] = alone[..., 0, :] * share ** ((size - 1) / most)
        return np.asarray(1 - named)

    def add(
        self, people: People, rows: NDArray[np.int64], similarities: NDArray[np.float32]
    ) -> None:
        """Adds some images as queries; ``similarities`` (R, N) are theirs with all images."""
        for camera in np.unique(people.camera[rows]):
            here = np.flatnonzero(people.camera[rows] == camera)
            for start in range(0, len(here), 64):
                part = here[start : start + 64]
                self._add_queries(
                    people, rows[part], similarities[part], self.chosen[max(int(camera), 0)]
                )

    def _add_queries(
        self,
        people: People,
        rows: NDArray[np.int64],
        similarities: NDArray[np.float32],
        chosen: NDArray[np.int64],
    ) -> None:
        best = np.where(chosen[None] >= 0, similarities[:, chosen], -np.inf)  # (R, P, most)
        if not people.cameras:  # an image is not compared with itself
            best[chosen[None] == rows[:, None, None]] = -np.inf
        best = np.maximum.accumulate(best, axis=2)
        person = people.person[rows]
        self.queries += len(rows)
        self.queries_drawn += self.weights[person].sum(axis=0)
        own = np.arange(len(rows)), person
        known = np.isfinite(best[..., 0][own])
        np.add.at(self.named_queries, person[known], 1)
        for number, images in enumerate(self.images):
            self._add_found(number, person, best[..., images - 1], known)

    def _add_found(
        self,
        number: int,
        person: NDArray[np.int64],
        best: NDArray[np.float32],
        known: NDArray[np.bool_],
    ) -> None:
        rows = np.arange(len(person))
        mine = self.grid.bins(best[rows, person])  # (R,)
        others = np.isfinite(best)
        others[rows, person] = False
        reached = self.grid.bins(best)
        place = rows[:, None] * (COUNT + 1) + reached
        size = len(person) * (COUNT + 1)

        def counted(weights: NDArray[np.float32] | None) -> Floats:
            picked = None if weights is None else np.broadcast_to(weights, best.shape)[others]
            histogram = np.bincount(place[others], picked, minlength=size).astype(np.float64)
            return histogram.reshape(len(person), COUNT + 1)

        histogram = counted(None)
        everyone = histogram.sum(axis=1).astype(np.int64)
        reach = reaching(histogram).astype(np.int64)  # (R, T)
        found = _returned(reach, everyone, self.sizes)  # (R, S, T)
        self.found[number] += found.sum(axis=0)
        self._add_named(number, person, mine, known, reach, everyone)
        for draw, weights in enumerate(self.weights.T):
            histogram = counted(weights)
            share = reaching(histogram) / np.maximum(histogram.sum(axis=1, keepdims=True), 1)
            left = np.log1p(-np.minimum(share, 1 - 1e-12))[:, None]  # (R, 1, T)
            drawn = 1 - np.exp(left * np.array(self.sizes)[None, :, None])
            self.found_drawn[draw, number] += np.tensordot(weights[person], drawn, axes=(0, 0))

    def _add_named(
        self,
        number: int,
        person: NDArray[np.int64],
        mine: NDArray[np.int64],
        known: NDArray[np.bool_],
        reach: NDArray[np.int64],
        everyone: NDArray[np.int64],
    ) -> None:
        """Adds where the person is first: reaches the threshold, and nobody else is as near."""
        rows = np.arange(len(person))
        better = np.where(mine > 0, reach[rows, np.maximum(mine - 1, 0)], everyone)  # as near or so
        sizes = tuple(size - 1 for size in self.sizes)
        alone = 1 - _returned(better[:, None], everyone, sizes)[..., 0]  # (R, S)
        passes = mine[:, None] > np.arange(COUNT)[None]  # (R, T)
        named = (alone[:, :, None] * passes[:, None])[known]
        np.add.at(self.named[:, number], person[known], named)


def _returned(
    reach: NDArray[np.int64], everyone: NDArray[np.int64], sizes: Sequence[int]
) -> Floats:
    """Returns (R, S, T) the probability that one of N people drawn of ``everyone`` reaches it.

    Galleries of more people than there are have all of them.
    """
    result = np.empty((len(reach), len(sizes), reach.shape[1]))
    for total in np.unique(everyone):
        here = everyone == total
        for number, size in enumerate(sizes):
            result[here, number] = _probabilities(int(total), size)[reach[here]]
    return result


@functools.lru_cache(maxsize=4096)
def _probabilities(everyone: int, size: int) -> Floats:
    """Returns for k = 0 to K the probability that N drawn people have one of k among them."""
    reach = np.arange(everyone + 1)
    if size <= 0 or everyone == 0:
        return np.zeros(everyone + 1)
    if size >= everyone:
        return (reach > 0).astype(np.float64)
    # C(K - k, N) / C(K, N) is the product over the k of (K - N - j) / (K - j), j = 0 to k - 1
    steps = np.arange(everyone)
    factors = np.maximum(everyone - size - steps, 0) / (everyone - steps)
    return 1 - np.concatenate([[1.0], np.cumprod(factors)])


def _chosen(people: People, most: int) -> NDArray[np.int64]:
    """Returns for each camera of a query up to ``most`` images of other cameras per person."""
    random = np.random.default_rng(_SEED)
    found = np.full((max(len(people.cameras), 1), people.count, most), -1)
    for person in range(people.count):
        images = random.permutation(np.arange(people.starts[person], people.starts[person + 1]))
        for camera in range(len(found)):
            others = images[people.camera[images] != camera] if people.cameras else images
            found[camera, person, : len(others[:most])] = others[:most]
    return found
