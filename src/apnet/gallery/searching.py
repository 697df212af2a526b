"""Search: queries to features, features to identities, similarities to decisions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from apnet.errors import CalibrationError, ConfigError, GalleryError
from apnet.gallery.adding import unit_features
from apnet.gallery.answers import Answer, By, Match, described_matches, ranked_identities
from apnet.gallery.binding import check_fingerprint
from apnet.gallery.engines.engine import Engine
from apnet.gallery.filters import Filter
from apnet.gallery.row_changes import note
from apnet.gallery.rows import count_of
from apnet.gallery.tracks import Thresholds
from apnet.progress import Progress
from apnet.types import Embeddings

if TYPE_CHECKING:
    from apnet.calibration import Calibration, Threshold
    from apnet.gallery.verbs.opening import Opened

FPIR = 1e-2
"""False positive identification rate that a threshold is chosen for, unless another is asked."""

_LARGEST_FPIR = 0.5

_ROUNDING = 1e-6

_WAYS = {
    "best": "similarity of an identity: cosine of its most similar image",
    "mean": "similarity of an identity: cosine of the mean of its images' features",
}


@dataclass(frozen=True)
class Wish:
    """What a search is asked for, see ``Gallery.search_many``."""

    k: int
    by: By
    where: Filter
    fmr: float | None
    threshold: float | None
    exact: bool | None


@dataclass(frozen=True, eq=False)
class Asked:
    """Queries: their names and features (N, D) of length 1."""

    names: tuple[str, ...]
    features: NDArray[np.float32]


def asked_features(
    gallery: Opened, queries: Any, *, bgr: bool, boxes: Any, progress: Progress
) -> Asked:
    """Returns the features of queries, see ``Gallery.search_many``."""
    dim = gallery.facts.feature_dim
    if isinstance(queries, Embeddings):
        check_fingerprint(gallery.place, gallery.facts, queries.fingerprint)
        return _named(unit_features(queries.features, dim), queries.paths)
    if boxes is None and _are_features(queries):
        return _named(unit_features(np.asarray(queries), dim), ())
    embedded = gallery.model.embed(
        queries, boxes=boxes, bgr=bgr, flip=gallery.facts.flip, progress=progress
    )
    return _named(unit_features(embedded.features, dim), embedded.paths)


def _are_features(queries: Any) -> bool:
    if isinstance(queries, np.ndarray):
        return queries.dtype.kind == "f" or queries.ndim < 3
    return isinstance(queries, list | tuple) and bool(queries) and _numbers(queries[0])


def _numbers(first: Any) -> bool:
    if isinstance(first, np.ndarray):
        return first.ndim == 1
    return isinstance(first, int | float | np.number) or (
        isinstance(first, list | tuple) and bool(first) and _numbers(first[0])
    )


def _named(features: NDArray[np.float32], paths: tuple[str, ...]) -> Asked:
    numbered = tuple(f"query {number}" for number in range(len(features)))
    return Asked(tuple(map(str, paths)) or numbered, features)


def answers(gallery: Opened, engine: Engine, asked: Asked, wish: Wish) -> list[Answer]:
    """Returns an answer per query; the search is noted in the audit log."""
    with engine.view():
        decision = _decision(gallery, engine, wish)
        wanted = wish.where.wanted(engine)
        ranked = ranked_identities(engine, asked.features, wish.k, wish.by, wanted, wish.exact)
        matches = described_matches(engine, ranked, decision.probability)
        exact = all(each.exact for each in ranked)
        protocol = f"{_WAYS[wish.by]}; {engine.index_note(exact)}; {decision.protocol}."
    with engine.change():
        note(engine, "search", len(asked.names))
    return [
        Answer(name, found, decision.threshold, protocol, decision.limits + _copy_note(found))
        for name, found in zip(asked.names, matches, strict=True)
    ]


def _copy_note(found: tuple[Match, ...]) -> str:
    """Says so where a result is certain by construction."""
    copy = found and found[0].image is not None and found[0].similarity >= 1 - _ROUNDING
    return " The most similar image is the query itself, or a copy of it." if copy else ""


def single(found: list[Answer]) -> Answer:
    """Returns the only answer.

    Raises:
        GalleryError: there are more or none.
    """
    if len(found) != 1:
        raise GalleryError(f"search takes one image or feature, got {len(found):,}: search_many")
    return found[0]


def calibration_for(gallery: Opened, given: Any) -> Calibration | None:
    """Returns the calibration that a gallery's decisions use, see ``Gallery``."""
    from apnet.calibration import Calibration, calibration_of, load_calibration

    facts = gallery.facts
    if given is None:
        return calibration_of(gallery.model) if facts.fingerprint else None
    calibration = given if isinstance(given, Calibration) else load_calibration(given)
    calibration.check(facts.fingerprint, facts.image_size, facts.flip)
    return calibration


@dataclass(frozen=True)
class _Decision:
    threshold: float | None
    probability: Callable[[float], float | None]
    protocol: str
    limits: str


def _decision(gallery: Opened, engine: Engine, wish: Wish) -> _Decision:
    calibration = gallery.calibration
    if calibration is None:
        protocol = "not calibrated" if wish.threshold is None else "threshold given by the caller"
        limits = "Not calibrated: the error rates of this threshold are unknown."
        return _Decision(wish.threshold, lambda _: None, protocol, limits)
    if wish.threshold is not None:
        return _Decision(
            wish.threshold,
            calibration.probability,
            "threshold given by the caller",
            calibration.limits,
        )
    chosen = _chosen(calibration, engine, wish.fmr)
    return _Decision(chosen.value, calibration.probability, chosen.protocol, chosen.limits)


def track_thresholds(
    gallery: Opened, engine: Engine, known: float | None, new: float | None, fmr: float | None
) -> Callable[[], Thresholds]:
    """Returns what tells the thresholds for the gallery as it is then, see ``Gallery.assign``."""
    for name, value in (("known", known), ("new", new)):
        if value is not None and not -1 <= value <= 1:
            raise ConfigError(f"{name} = {value!r}: use a similarity from -1 to 1")
    if known is not None:
        if fmr is not None:
            raise ConfigError("give fmr or known, not both")
        if new is not None and new > known:
            raise ConfigError(
                f"new = {new!r}, known = {known!r}: use a new that is not above known"
            )
        fixed = Thresholds(known, known if new is None else new)
        return lambda: fixed
    calibration = gallery.calibration
    if calibration is None:
        raise CalibrationError(
            f"{gallery.place}: there is no calibration; give the thresholds known and new"
        )
    lower = calibration.similarity_at(0.5) if new is None else new

    def grown() -> Thresholds:
        upper = _chosen(calibration, engine, fmr).value
        return Thresholds(upper, min(upper, lower))

    return grown


def _chosen(calibration: Calibration, engine: Engine, fmr: float | None) -> Threshold:
    """Returns the threshold of a false match rate, or of ``FPIR`` for the gallery's size.

    Where the calibration's people are too few for ``FPIR``, it is the smallest rate that they
    support; the threshold's protocol says it.
    """
    people, images = _size(engine)
    if fmr is not None:
        return calibration.threshold(fmr, people=people, images=images)
    smallest = calibration.smallest_fpir(people, images)
    fpir = smallest if FPIR < smallest <= _LARGEST_FPIR else FPIR
    return calibration.threshold(fpir=fpir, people=people, images=images)


def _size(engine: Engine) -> tuple[int, int]:
    """Returns the number of identities, and of images per identity, rounded up; at least 1."""
    people = count_of(engine, "identities")
    images = count_of(engine, "images WHERE identity IS NOT NULL")
    return max(people, 1), max(math.ceil(images / people), 1) if people else 1


def check_wish(gallery: Opened, wish: Wish) -> None:
    """Checks what a search is asked for, before anything is embedded.

    Raises:
        ConfigError: a value is out of range.
        CalibrationError: an error rate is asked for, and there is no calibration.
    """
    _check_values(wish)
    if wish.fmr is not None and gallery.calibration is None:
        raise CalibrationError(
            f"{gallery.place}: fmr {wish.fmr:g} needs a calibration, and its network has none; "
            "make one with 'apnet calibrate', or give a threshold of your own"
        )


def _check_values(wish: Wish) -> None:
    if isinstance(wish.k, bool) or not isinstance(wish.k, int) or wish.k < 1:
        raise ConfigError(f"k = {wish.k!r}: ask for 1 identity or more")
    if wish.by not in get_args(By):
        raise ConfigError(f"by = {wish.by!r}: use 'best' or 'mean'")
    if wish.fmr is not None and not 0 < wish.fmr < 1:
        raise ConfigError(f"fmr = {wish.fmr!r}: use a rate between 0 and 1, such as 1e-3")
    if wish.threshold is not None and not -1 <= wish.threshold <= 1:
        raise ConfigError(f"threshold = {wish.threshold!r}: use a similarity from -1 to 1")
    if wish.fmr is not None and wish.threshold is not None:
        raise ConfigError("give fmr or threshold, not both")
