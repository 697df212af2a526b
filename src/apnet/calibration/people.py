"""Features in the order of people, as the counting takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.calibration.grid import Grid, grid_of
from apnet.errors import CalibrationError
from apnet.types import JUNK_PID, NO_CAMERA, Embeddings

MOST_IMAGES = 20_000
"""Images that are compared with each other; of larger sets each person gives fewer, at random."""

FEWEST_PEOPLE = 10

_SEED = 0


@dataclass(frozen=True, eq=False)
class People:
    """Features of length 1, sorted by person.

    Attributes:
        features: (N, D) float32.
        person: (N,) number of the person, 0 to P - 1, ascending.
        camera: (N,) number of the camera, 0 to C - 1; -1 if cameras are unknown.
        cameras: C names of cameras.
        starts: (P + 1,) first image of each person, and N.
        left_out: images that were left out since there were too many.
        grid: of similarities between them.
    """

    features: NDArray[np.float32]
    person: NDArray[np.int64]
    camera: NDArray[np.int64]
    cameras: tuple[int, ...]
    starts: NDArray[np.int64]
    left_out: int
    grid: Grid

    @property
    def count(self) -> int:
        """The number of people, P."""
        return len(self.starts) - 1

    def comparable(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Returns (R, N) which pairs count: of two cameras, or of two images without cameras."""
        pairs: NDArray[np.bool_]
        if self.cameras:
            pairs = self.camera[rows, None] != self.camera[None]
        else:
            pairs = rows[:, None] != np.arange(len(self.person))[None]
        return pairs


def as_people(embeddings: Embeddings) -> People:
    """Returns embeddings as people, without images of nobody.

    Raises:
        CalibrationError: there are fewer than ``FEWEST_PEOPLE`` people, no person was seen by two
            cameras, or a feature is zero.
    """
    known = np.flatnonzero(embeddings.pids != JUNK_PID)
    pids = embeddings.pids[known]
    chosen = known[_at_most(pids)]
    order = chosen[np.argsort(embeddings.pids[chosen], kind="stable")]
    values, person = np.unique(embeddings.pids[order], return_inverse=True)
    if len(values) < FEWEST_PEOPLE:
        raise CalibrationError(
            f"{len(values)} people; a calibration needs {FEWEST_PEOPLE} at least, and hundreds to "
            "promise small error rates"
        )
    names, camera = np.unique(embeddings.camids[order], return_inverse=True)
    unknown = NO_CAMERA in names.tolist()
    features = embeddings.features[order].astype(np.float32)
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    if not norms.all():
        raise CalibrationError("a feature is zero; leave its image out")
    starts = np.searchsorted(person, np.arange(len(values) + 1))
    unit = features / norms
    people = People(
        unit,
        person,
        np.full(len(person), -1) if unknown else camera,
        () if unknown else tuple(names.tolist()),
        starts,
        len(known) - len(order),
        grid_of(unit),
    )
    _check_pairs(people)
    return people


def _at_most(pids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns rows, in order, with at most an equal share of ``MOST_IMAGES`` for each person."""
    if len(pids) <= MOST_IMAGES:
        return np.arange(len(pids))
    share = max(MOST_IMAGES // len(np.unique(pids)), 2)
    shuffled = np.random.default_rng(_SEED).permutation(len(pids))
    by_person = shuffled[np.argsort(pids[shuffled], kind="stable")]
    sorted_pids = pids[by_person]
    place = np.arange(len(pids)) - np.searchsorted(sorted_pids, sorted_pids)
    return np.sort(by_person[place < share])


def _check_pairs(people: People) -> None:
    if len(people.cameras) == 1:
        raise CalibrationError(
            "all images are of one camera; rates are given across cameras, since pairs within one "
            "are much easier: add images of another camera"
        )
    pairs = sum(
        len(set(people.camera[start:end].tolist())) > 1 or (not people.cameras and end - start > 1)
        for start, end in zip(people.starts[:-1], people.starts[1:], strict=True)
    )
    if pairs < FEWEST_PEOPLE:
        raise CalibrationError(
            f"only {pairs} people have images of two cameras; a calibration needs {FEWEST_PEOPLE} "
            "at least"
        )
