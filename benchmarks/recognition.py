"""How often error rates lie in the intervals that a calibration states, on people it never saw.

The shipped calibration was made on the query and gallery images of ``people-calibration``. Here its
training images are used, of 2,400 other people in the same cameras; no network was trained on them:

    apnet data make people-calibration --set people-calibration
    apnet embed people-calibration/bounding_box_train --out unseen
    python benchmarks/recognition.py unseen

Each draw picks the people of a gallery, one image each, and 400 others who are searched for. Only
images of two cameras are compared: a query meets, of each enrolled person, the first image that
another camera took.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import common
import numpy as np
from common import Row
from numpy.typing import NDArray

import apnet
from apnet.calibration import Calibration, Rate, calibration_from, calibration_of
from apnet.types import Embeddings

FMRS = (1e-2, 1e-3)
SIZES = (10, 100, 1_000)
DRAWS = 20
GOAL = 17
STRANGERS = 400
RECALIBRATED = 400


@dataclass(frozen=True, eq=False)
class People:
    """Features of length 1 (N, D), with N numbers of people from 0 and N cameras."""

    features: NDArray[np.float32]
    person: NDArray[np.int64]
    camera: NDArray[np.int64]

    @classmethod
    def of(cls, found: Embeddings) -> People:
        features = found.features.astype(np.float32)
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        return cls(features, np.unique(found.pids, return_inverse=True)[1], found.camids)

    @property
    def count(self) -> int:
        return int(self.person.max()) + 1

    def some(self, people: NDArray[np.int64]) -> People:
        """Returns some people, numbered in the order given."""
        number = np.full(self.count, -1)
        number[people] = np.arange(len(people))
        rows = np.flatnonzero(number[self.person] >= 0)
        return People(self.features[rows], number[self.person[rows]], self.camera[rows])

    def embeddings(self) -> Embeddings:
        return Embeddings(self.features, self.person, self.camera)


@dataclass(frozen=True)
class Measured:
    """Rates of one draw."""

    fmr: float
    fnmr: float
    fpir: float
    fnir: float


def measure(people: People, enrolled: int, threshold: float, seed: int) -> Measured:
    """Measures rates with ``enrolled`` people in the gallery and all others searched for."""
    random = np.random.default_rng(seed)
    similarity = people.features @ people.features.T
    apart = people.camera[:, None] != people.camera
    same = people.person[:, None] == people.person
    reached = similarity >= threshold
    order = random.permutation(len(people.person))
    best = np.full((len(people.person), enrolled), -1.0)
    for camera in np.unique(people.camera):
        first = _first_images(people, order[people.camera[order] != camera], enrolled)
        rows = np.flatnonzero(people.camera == camera)
        known = np.flatnonzero(first >= 0)
        best[np.ix_(rows, known)] = similarity[np.ix_(rows, first[known])]
    return Measured(
        float(reached[apart & ~same].mean()),
        float(1 - reached[apart & same].mean()),
        *_searches(people, best, threshold),
    )


def _first_images(people: People, order: NDArray[np.int64], enrolled: int) -> NDArray[np.int64]:
    first = np.full(enrolled, -1)
    for image in order[::-1]:
        if people.person[image] < enrolled:
            first[people.person[image]] = image
    return first


def _searches(people: People, best: NDArray[Any], threshold: float) -> tuple[float, float]:
    strangers = people.person >= best.shape[1]
    found = best[strangers].max(axis=1) >= threshold
    rows = np.flatnonzero(~strangers)
    own = best[rows, people.person[rows]]
    rows, own = rows[own > -1], own[own > -1]
    named = (own >= threshold) & (own >= best[rows].max(axis=1))
    return float(found.mean()), float(1 - named.mean())


def holds(rate: Rate, measured: float) -> bool:
    return rate.low <= measured <= rate.high


def shipped_rows(calibration: Calibration, people: People, small: bool) -> Iterator[Row]:
    """The calibration's intervals over draws of a gallery and of people who are searched for."""
    strangers, sizes = (40, SIZES[:1]) if small else (STRANGERS, SIZES)
    for fmr in FMRS:
        at = calibration.threshold(fmr).value
        for size in sizes:
            if size + strangers > people.count:
                yield common.not_here(f"FMR {fmr:g}, gallery of {size:,}", "too few people")
                continue
            drawn = [
                measure(people.some(_draw(people.count, size + strangers, seed)), size, at, seed)
                for seed in range(DRAWS)
            ]
            yield from _counted(calibration, at, size, strangers, drawn, f"FMR {fmr:g}")


def _draw(count: int, size: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, size]).permutation(count)[:size]


def _counted(
    calibration: Calibration,
    at: float,
    size: int,
    strangers: int,
    drawn: Sequence[Measured],
    name: str,
) -> Iterator[Row]:
    pairs = calibration.rates(at, people=size, asked=size + strangers)
    searches = calibration.rates(at, people=size, asked=min(size, strangers))
    for rate, stated in (
        ("fmr", pairs.fmr),
        ("fpir", searches.fpir),
        ("fnmr", pairs.fnmr),
        ("fnir", searches.fnir),
    ):
        values = [getattr(each, rate) for each in drawn]
        inside = sum(holds(stated, value) for value in values)
        spread = f"{np.mean(values):.3g} in [{stated.low:.2g}, {stated.high:.2g}]"
        entry = f"{name}, gallery of {size:,}: {rate.upper()} {spread}"
        yield common.row(entry, inside, at_least=GOAL)


def recalibrated_rows(people: People, small: bool) -> Iterator[Row]:
    """Calibrations of some people, whose intervals are for as many others."""
    count = 30 if small else RECALIBRATED
    inside = {(name, fmr): 0 for fmr in FMRS for name in ("fmr", "fnmr")}
    for seed in range(2 if small else DRAWS):
        drawn = _draw(people.count, 2 * count, seed)
        mine, others = (people.some(part) for part in (drawn[:count], drawn[count:]))
        calibration = calibration_from(
            mine.embeddings(), fingerprint="", image_size=(1, 1), flip=True, data="drawn"
        )
        for fmr in FMRS[:1] if small else FMRS:
            stated = calibration.threshold(fmr)
            measured = measure(others, 10, stated.value, seed)
            for name in ("fmr", "fnmr"):
                inside[name, fmr] += holds(getattr(stated, name), getattr(measured, name))
    for (name, fmr), times in inside.items():
        entry = f"calibrations of {count} people, FMR {fmr:g}: {name.upper()} of {count} others"
        yield common.row(entry, times, at_least=GOAL)


def rows(given: Any) -> Iterator[Row]:
    model = apnet.load_model(device="cpu")
    calibration = apnet.load_calibration(given.calibration) if given.calibration else None
    calibration = calibration or calibration_of(model)
    assert calibration is not None
    found = apnet.load_features(given.features)
    apnet.types.check_same_network((found.fingerprint, calibration.fingerprint))
    people = People.of(found)
    yield from shipped_rows(calibration, people, given.small)
    if not given.shipped_only:
        yield from recalibrated_rows(people, given.small)


def main() -> None:
    parser = common.options(__doc__ or "")
    parser.add_argument("features", type=Path, help="a store of 'apnet embed', or a feature file")
    parser.add_argument("--calibration", type=Path, help="another than the shipped one")
    parser.add_argument("--shipped-only", action="store_true", help="calibrate nothing")
    given = parser.parse_args()
    common.report(rows(given), given)


if __name__ == "__main__":
    main()
