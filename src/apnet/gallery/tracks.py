"""Gives tracklets of several cameras global identities against a gallery that grows.

A tracklet is what one camera's tracker followed: crops of one person. In the order of time each
tracklet is compared with the identities of the gallery (cosine of the means of both). It is
``known`` from the upper threshold on, ``new`` below the lower one, and ``unsure`` between the two.
Crops of known and new tracklets join the gallery; those of unsure ones do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from apnet.gallery.adding import add_batch, batches
from apnet.gallery.engines.engine import Engine, Wanted
from apnet.gallery.enrolment import Given, file_input
from apnet.gallery.images import embedded_images
from apnet.gallery.records import GalleryFacts, NewImage, Sighting
from apnet.gallery.rows import all_identities, identities_by_number, known_digests
from apnet.gallery.track_tables import Assignment, Tracklet
from apnet.gallery.values import checked_source
from apnet.progress import Progress

if TYPE_CHECKING:
    from apnet.models import Model

_NEW = "person-"


@dataclass(frozen=True)
class Thresholds:
    """Cosines: known from ``known`` on, new below ``new``."""

    known: float
    new: float


@dataclass
class _State:
    """What has been assigned so far, by identity."""

    seen: dict[str, list[Tracklet]] = field(default_factory=dict)


def assign_tracklets(
    engine: Engine,
    model: Model,
    facts: GalleryFacts,
    tracklets: Sequence[Tracklet],
    thresholds: Callable[[], Thresholds],
    progress: Progress,
) -> list[Assignment]:
    """Assigns tracklets one after another; see the module. After an interruption it goes on.

    The thresholds are asked for anew before each tracklet, since the gallery grows.

    Raises:
        DataError: a crop cannot be used; the tracklets before it are in the gallery.
    """
    state, found = _State(), []
    for number, tracklet in enumerate(tracklets):
        images = _embedded(model, facts, tracklet)
        assignment = _decide(engine, tracklet, images, thresholds(), state)
        if assignment.decision != "unsure":
            named = [_named(image, assignment.identity) for image in images]
            for batch in batches(named):
                add_batch(engine, batch)
            state.seen.setdefault(assignment.identity, []).append(tracklet)
        found.append(assignment)
        progress(number + 1, len(tracklets))
    return found


def _embedded(model: Model, facts: GalleryFacts, tracklet: Tracklet) -> list[NewImage]:
    given = [
        Given(
            file_input(crop.path),
            None,
            Sighting(tracklet.camera, crop.time, checked_source(crop.path)),
        )
        for crop in tracklet.crops
    ]
    return embedded_images(model, facts, given)


def _named(image: NewImage, name: str) -> NewImage:
    return NewImage(image.feature, image.digest, image.sighting, name, thumbnail=image.thumbnail)


def _decide(
    engine: Engine,
    tracklet: Tracklet,
    images: Sequence[NewImage],
    thresholds: Thresholds,
    state: _State,
) -> Assignment:
    there = known_digests(engine, [image.digest for image in images]).values()
    before = next((name for _, name in there if name is not None), None)
    if before is not None:  # assigned by an earlier run
        return Assignment(tracklet, "known", before, 1.0)
    name, similarity = _closest(engine, _mean(images), tracklet, state)
    if similarity is not None and similarity >= thresholds.known:
        return Assignment(tracklet, "known", name, similarity)
    if similarity is None or similarity < thresholds.new:
        return Assignment(tracklet, "new", _new_name(engine), similarity)
    return Assignment(tracklet, "unsure", name, similarity)


def _mean(images: Sequence[NewImage]) -> NDArray[np.float32]:
    features = np.stack([image.feature for image in images if image.feature is not None])
    mean = features.mean(axis=0, keepdims=True)
    unit: NDArray[np.float32] = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return unit


def _closest(
    engine: Engine, mean: NDArray[np.float32], tracklet: Tracklet, state: _State
) -> tuple[str, float | None]:
    """Returns the closest identity that was not elsewhere in the same camera at the same time."""
    apart = [
        name
        for name, others in state.seen.items()
        if any(tracklet.overlaps(other) for other in others)
    ]
    with engine.view():
        (nearest,) = engine.nearest_means(mean, len(apart) + 1, Wanted())
        names = identities_by_number(engine, nearest.identities.tolist())
    for number, similarity in zip(
        nearest.identities.tolist(), nearest.similarities.tolist(), strict=True
    ):
        if names[number].name not in apart:
            return names[number].name, similarity
    return "", None


def _new_name(engine: Engine) -> str:
    numbers = [
        int(each.name.removeprefix(_NEW))
        for each in all_identities(engine)
        if each.name.startswith(_NEW) and each.name.removeprefix(_NEW).isdecimal()
    ]
    return f"{_NEW}{max(numbers, default=0) + 1:04d}"
