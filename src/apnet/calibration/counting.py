"""Counts pairs of images, and searches of galleries, at every threshold.

Nothing of the size of all pairs is kept: people are taken in blocks, and each block adds to counts
per person, per pair of cameras, and per bootstrap draw. People are drawn with replacement, both
sides of a pair at once, since pairs share people.

Memory: the features, 128 MiB while a block is counted, and 40 KiB per person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.calibration.grid import COUNT, IMAGES, SIZES, reaching
from apnet.calibration.open_set import Searches
from apnet.calibration.people import People
from apnet.progress import Progress, silent

DRAWS = 40
"""Bootstrap draws of people; a standard error from them is within a quarter of its value."""

_SEED = 0
_MOST_COUNTS = 4_000_000
_MOST_PAIRS = 4_000_000

Floats = NDArray[np.float64]


@dataclass
class Counts:
    """What was counted; T thresholds, P people, B draws, C cameras.

    Attributes:
        weights: (P, B) how often a draw has a person.
        same: (P, T) pairs of a person that reach a threshold; ``same_pairs`` (P,) all of them.
        other: (T,) pairs of two people that reach it; ``other_pairs`` all of them.
        other_drawn: (B, T) the same per draw; ``other_pairs_drawn`` (B,).
        by_camera: (2, C, C, T + 1) pairs of other and of the same people per bin and cameras.
        searches: of galleries.
    """

    weights: NDArray[np.float32]
    same: Floats
    same_pairs: Floats
    other: Floats
    other_pairs: float
    other_drawn: Floats
    other_pairs_drawn: Floats
    by_camera: Floats
    searches: Searches


def count_pairs(people: People, draws: int = DRAWS, progress: Progress = silent) -> Counts:
    """Counts all pairs across cameras.

    Args:
        people: P of them.
        draws: B.
        progress: called with (people done, people in all).
    """
    size, cameras = people.count, max(len(people.cameras), 1)
    weights = _draw(size, draws)
    counts = Counts(
        weights,
        np.zeros((size, COUNT)),
        np.zeros(size),
        np.zeros(COUNT),
        0.0,
        np.zeros((draws, COUNT)),
        np.zeros(draws),
        np.zeros((2, cameras, cameras, COUNT + 1)),
        Searches.empty(people, weights, IMAGES, SIZES),
    )
    for first, last in _blocks(people):
        _add_block(counts, people, first, last)
        progress(last, size)
    return counts


def _draw(size: int, draws: int) -> NDArray[np.float32]:
    random = np.random.default_rng(_SEED)
    drawn = random.multinomial(size, np.full(size, 1 / size), draws)
    weights: NDArray[np.float32] = drawn.T.astype(np.float32)
    return weights


def _blocks(people: People) -> list[tuple[int, int]]:
    """Returns ranges of people, each small enough in pairs and in counts."""
    found, first = [], 0
    total = len(people.person)
    for person in range(people.count):
        images = int(people.starts[person + 1] - people.starts[first])
        counts = (person + 1 - first) * people.count * (COUNT + 1)
        if person > first and (images * total > _MOST_PAIRS or counts > _MOST_COUNTS):
            found.append((first, person))
            first = person
    return [*found, (first, people.count)]


def _add_block(counts: Counts, people: People, first: int, last: int) -> None:
    rows = np.arange(people.starts[first], people.starts[last])
    similarities = people.features[rows] @ people.features.T  # (R, N)
    compared = people.comparable(rows)
    reached = people.grid.bins(similarities)
    by_pair = _by_pair(people, rows, reached, compared, last - first)  # (p, P, T + 1)
    _add_by_camera(counts, people, rows, reached, compared)
    totals = by_pair.sum(axis=-1)
    reach = reaching(by_pair).astype(np.float64)
    own = np.arange(first, last)
    counts.same[own] = reach[own - first, own]
    counts.same_pairs[own] = totals[own - first, own]
    reach[own - first, own] = 0
    totals[own - first, own] = 0
    counts.other += reach.sum(axis=(0, 1))
    counts.other_pairs += float(totals.sum())
    mine, all_of_them = counts.weights[own], counts.weights
    counts.other_pairs_drawn += ((totals @ all_of_them) * mine).sum(axis=0)
    drawn = np.tensordot(reach.astype(np.float32), all_of_them, axes=(1, 0))  # (p, T, B)
    counts.other_drawn += np.einsum("ptb,pb->bt", drawn, mine, dtype=np.float64)
    counts.searches.add(people, rows, similarities)


def _by_pair(
    people: People,
    rows: NDArray[np.int64],
    reached: NDArray[np.int64],
    compared: NDArray[np.bool_],
    block: int,
) -> NDArray[np.int64]:
    mine = people.person[rows] - people.person[rows[0]]
    place = (mine[:, None] * people.count + people.person[None]) * (COUNT + 1) + reached
    size = block * people.count * (COUNT + 1)
    counted = np.bincount(place[compared], minlength=size)
    return counted.reshape(block, people.count, COUNT + 1)


def _add_by_camera(
    counts: Counts,
    people: People,
    rows: NDArray[np.int64],
    reached: NDArray[np.int64],
    compared: NDArray[np.bool_],
) -> None:
    cameras = counts.by_camera.shape[1]
    camera = np.maximum(people.camera, 0)
    same = people.person[rows, None] == people.person[None]
    place = (camera[rows, None] * cameras + camera[None]) * (COUNT + 1) + reached
    place += same * (cameras * cameras * (COUNT + 1))
    counted = np.bincount(place[compared], minlength=counts.by_camera.size)
    counts.by_camera += counted.reshape(counts.by_camera.shape)
