"""Plans which cameras see each person and how often; the counts of a set hold exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.errors import ConfigError

LEAST_CAMERAS = 2
"""Fewest cameras per person: the correct match of a query must be in another camera."""


@dataclass(frozen=True)
class Counts:
    """Numbers of identities and images of a set."""

    train: tuple[int, int]
    """Training identities and their images."""
    test: tuple[int, int]
    """Query identities, and their images in query and gallery together."""
    queries: int | None = None
    """Query images; None: one per camera that sees a query identity."""
    others: tuple[int, int] = (0, 0)
    """Identities in the gallery only, and their images."""
    distractors: int = 0
    """Badly detected boxes in the gallery, with pid 0."""
    spread: float = 0.0
    """Standard deviation of the logarithm of images per identity; 0: the same number for each."""

    @property
    def images(self) -> int:
        """Number of all images."""
        return self.train[1] + self.test[1] + self.others[1] + self.distractors

    def scaled(self, share: float) -> Counts:
        """Returns the counts for a share of the people, with the same number of images each.

        Raises:
            ConfigError: fewer than two training or two query identities would be left.
        """
        groups = [
            (round(ids * share), round(images * share))
            for ids, images in (self.train, self.test, self.others)
        ]
        train, test, others = ((ids, images * (ids > 0)) for ids, images in groups)
        if train[0] < 2 or test[0] < 2:
            raise ConfigError(f"share: {share} leaves {train[0]} and {test[0]} people; give more")
        queries = self.queries and round(self.queries / self.test[0] * test[0])
        return Counts(train, test, queries, others, round(self.distractors * share), self.spread)

    @property
    def ids(self) -> int:
        """Number of all identities, without pid 0."""
        return self.train[0] + self.test[0] + self.others[0]


@dataclass(frozen=True)
class Visits:
    """The cameras that see one person, and the number of images.

    The images are taken by the cameras in turn: first one per camera, then a second, and so on.
    """

    cameras: tuple[int, ...]
    """Camera numbers from 1, each once."""
    images: int
    """Number of images; a query identity has one per camera, and two or more for the gallery."""

    def shots(self) -> list[tuple[int, bool]]:
        """Returns the camera of each image, and whether it is the first image in that camera."""
        count = len(self.cameras)
        return [(self.cameras[i % count], i < count) for i in range(self.images)]


def plan_visits(counts: Counts, cameras: int, seed: int) -> list[Visits]:
    """Returns the visits of all pids, from 1: training, query, then gallery-only identities.

    The order in which the cameras see a person depends on seed and pid only.

    Args:
        counts: of the set.
        cameras: number of cameras.
        seed: seed of the set.

    Raises:
        ConfigError: the counts cannot be met.
    """
    numbers = _cameras_per_person(counts, cameras, seed)
    images = _images_per_person(counts, numbers)
    return [
        Visits(tuple(_camera_order(seed, pid, cameras)[:number]), count)
        for pid, (number, count) in enumerate(zip(numbers, images, strict=True), start=1)
    ]


def split_total(total: int, least: list[int], most: list[int], weights: list[float]) -> list[int]:
    """Splits a total into integer shares within bounds, as proportional to weights as possible.

    Args:
        total: sum of the result.
        least: smallest value of each share.
        most: largest value of each share.
        weights: positive weights.

    Raises:
        ConfigError: no shares within the bounds add up to the total.
    """
    low, high = np.array(least, dtype=np.int64), np.array(most, dtype=np.int64)
    if not len(low):
        if total:
            raise ConfigError(f"{total} images cannot be spread over no people")
        return []
    if not low.sum() <= total <= high.sum():
        raise ConfigError(
            f"{total} cannot be spread over {len(low)} people with {low.sum()} to {high.sum()}"
        )
    weight = np.array(weights, dtype=np.float64)
    below, above = 0.0, float((high / weight).max())
    for _ in range(100):  # bisection for the common factor of all weights
        factor = (below + above) / 2
        if np.clip(weight * factor, low, high).sum() < total:
            below = factor
        else:
            above = factor
    return _round_to_total(np.clip(weight * above, low, high), total)


def _round_to_total(shares: NDArray[np.float64], total: int) -> list[int]:
    """Rounds to integers with the given sum (largest remainder method)."""
    whole = np.floor(shares + 1e-6).astype(np.int64)
    order = np.argsort(-(shares - whole), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return [int(number) for number in whole]


def _cameras_per_person(counts: Counts, cameras: int, seed: int) -> list[int]:
    """Returns the number of cameras that see each person."""
    drawn = [_draw_camera_count(counts, cameras, seed, pid) for pid in range(1, counts.ids + 1)]
    if counts.queries is None:
        return drawn
    queried = slice(counts.train[0], counts.train[0] + counts.test[0])
    people = counts.test[0]
    weights = [float(number) for number in drawn[queried]]
    drawn[queried] = split_total(
        counts.queries, [LEAST_CAMERAS] * people, [cameras] * people, weights
    )
    return drawn


def _draw_camera_count(counts: Counts, cameras: int, seed: int, pid: int) -> int:
    ids, images = counts.train if pid <= counts.train[0] else counts.test
    if pid > counts.train[0] + counts.test[0]:
        ids, images = counts.others
    most = max(LEAST_CAMERAS, min(cameras, images // ids // 2))
    rng = np.random.default_rng([seed, 4, pid])
    return int(rng.integers(max(LEAST_CAMERAS, (most + 1) // 2), most + 1))


def _images_per_person(counts: Counts, numbers: list[int]) -> list[int]:
    result: list[int] = []
    queried = range(counts.train[0], counts.train[0] + counts.test[0])
    for people, images in (counts.train, counts.test, counts.others):
        places = range(len(result), len(result) + people)
        # One query per camera, and gallery images from at least two cameras.
        least = [numbers[p] + LEAST_CAMERAS if p in queried else LEAST_CAMERAS for p in places]
        rng = np.random.default_rng([len(result), 6])
        weights = [float(w) for w in np.exp(rng.normal(0, counts.spread, people))]
        result += split_total(images, least, [images] * people, weights)
    return result


def _camera_order(seed: int, pid: int, cameras: int) -> list[int]:
    rng = np.random.default_rng([seed, 14, pid])
    return [int(number) for number in rng.permutation(np.arange(1, cameras + 1))]
