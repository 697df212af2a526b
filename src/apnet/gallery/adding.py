"""Puts images into a gallery: whole batches, each durable before the next begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from apnet.display import summarised
from apnet.errors import GalleryError
from apnet.files import shortened
from apnet.gallery.engines.engine import Engine
from apnet.gallery.pictures import feature_digest
from apnet.gallery.records import NewImage, Sighting
from apnet.gallery.row_changes import changing, identity_number, insert_images, note, number_change
from apnet.gallery.rows import known_digests
from apnet.gallery.values import checked_name, checked_source
from apnet.types import NO_CAMERA, Embeddings

BATCH = 64
"""Images in one change."""

_BLOCK = 1024

T = TypeVar("T")


@summarised
@dataclass(frozen=True, repr=False)
class AddResult:
    """What an ``add`` did.

    Attributes:
        added: images that were new.
        labelled: images that were there without identity, and have one now.
        known: images that were there already, and were left as they are.
        notes: what was left out or assumed.
    """

    added: int = 0
    labelled: int = 0
    known: int = 0
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """The images that were given."""
        return self.added + self.labelled + self.known

    def __add__(self, other: AddResult) -> AddResult:
        return AddResult(
            self.added + other.added,
            self.labelled + other.labelled,
            self.known + other.known,
            self.notes + other.notes,
        )


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yields items in the numbers that are added at once."""
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def add_batch(engine: Engine, images: Sequence[NewImage]) -> AddResult:
    """Adds images in one change.

    Raises:
        GalleryError: an image is there under another name, or twice with two names.
    """
    with engine.change():
        there = known_digests(engine, [image.digest for image in images])
        fresh: dict[bytes, NewImage] = {}
        labelled = 0
        for image in images:
            if image.digest in there:
                labelled += _label(engine, image, there)
            elif image.digest in fresh:
                _check_same_name(image, fresh[image.digest].name)
                if image.name is not None:
                    fresh[image.digest] = image
            elif image.feature is not None:
                fresh[image.digest] = image
        new = list(fresh.values())
        numbers = {
            each.name: identity_number(engine, each.name, each.metadata)
            for each in new
            if each.name is not None
        }
        if new:
            identities = [numbers[each.name] if each.name is not None else None for each in new]
            insert_images(engine, new, identities)
        only = next(iter(numbers.values())) if len(numbers) == 1 else None
        if new or labelled:
            number_change(engine, edits=labelled > 0)
            note(engine, "add", len(new) + labelled, only)
    return AddResult(len(new), labelled, len(images) - len(new) - labelled)


def _label(engine: Engine, image: NewImage, there: dict[bytes, tuple[int, str | None]]) -> int:
    """Gives an image that is there its name, and its identity metadata; returns 1 for a new name.

    Args:
        engine: of the gallery.
        image: that is there.
        there: number and name by digest, which is kept up to date.
    """
    number, name = there[image.digest]
    _check_same_name(image, name)
    if image.name is None or (name is not None and not image.metadata):
        return 0
    identity = identity_number(engine, image.name, image.metadata)
    if name is not None:
        return 0
    there[image.digest] = number, image.name
    return engine.run("UPDATE images SET identity = ? WHERE id = ?", (identity, number))


def _check_same_name(image: NewImage, name: str | None) -> None:
    if image.name is not None and name is not None and name != image.name:
        source = shortened(image.sighting.source or "the image", 160)
        raise GalleryError(
            f"{source}: the same image is in the gallery as '{name}', not '{image.name}'; rename "
            "or merge the two, or remove the image first"
        )


def unit_features(features: NDArray[np.floating], feature_dim: int) -> NDArray[np.float32]:
    """Returns features (N, D) as float32 of length 1.

    Raises:
        GalleryError: they have another length, or one is not finite or zero.
    """
    array = np.asarray(features)
    if array.ndim == 1:
        array = array[None]
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise GalleryError(
            f"features must be numbers (N, {feature_dim}), got {array.dtype} of shape {array.shape}"
        )
    if array.shape[1] != feature_dim:
        raise GalleryError(
            f"features of {array.shape[1]} numbers, and this gallery's have {feature_dim}; they "
            "are of another network"
        )
    unit = np.empty(array.shape, np.float32)
    for start in range(0, len(array), _BLOCK):
        part = array[start : start + _BLOCK].astype(np.float64)
        with np.errstate(over="ignore"):
            norms = np.linalg.norm(part, axis=1)
        for wrong, words in ((~np.isfinite(norms), "is not finite"), (norms == 0, "is zero")):
            if wrong.any():
                number = start + int(np.flatnonzero(wrong)[0])
                raise GalleryError(f"feature {number} {words}; leave it out")
        unit[start : start + _BLOCK] = part / norms[:, None]
    return unit


def images_of_features(
    features: Any, names: Sequence[str | None] | str | None, sighting: Sighting, feature_dim: int
) -> list[NewImage]:
    """Returns features that were computed already as images to add, see ``Gallery.add_features``.

    Raises:
        GalleryError: they cannot be used, or there are more or fewer names than features.
    """
    known = features if isinstance(features, Embeddings) else None
    try:
        array = features.features if known else np.asarray(features)
    except ValueError:
        raise GalleryError(f"features must be numbers (N, {feature_dim})") from None
    unit = unit_features(array, feature_dim)
    if names is None and known:
        names = [str(pid) if pid >= 0 else None for pid in known.pids.tolist()]
    if names is None or isinstance(names, str):
        names = [names] * len(unit)
    if len(names) != len(unit):
        raise GalleryError(f"{len(unit):,} features and {len(names):,} names; give one name each")
    checked = [None if name is None else checked_name(name) for name in names]
    sightings = [sighting] * len(unit) if known is None else _sightings(known, sighting)
    return [
        NewImage(feature, feature_digest(feature), seen, name)
        for feature, seen, name in zip(unit, sightings, checked, strict=True)
    ]


def _sightings(embeddings: Embeddings, given: Sighting) -> list[Sighting]:
    paths = embeddings.paths or ("",) * len(embeddings)
    return [
        Sighting(
            given.camera if camera == NO_CAMERA else str(camera),
            given.time,
            given.source or checked_source(path),
        )
        for camera, path in zip(embeddings.camids.tolist(), paths, strict=True)
    ]


def label_images(engine: Engine, names: Mapping[int, str]) -> int:
    """Gives images that have no identity names, by their numbers; returns how many.

    Raises:
        GalleryError: one is not there or has an identity; none is changed.
    """
    with changing(engine, edits=True):
        for number, name in names.items():
            identity = identity_number(engine, name, {})
            changed = engine.run(
                "UPDATE images SET identity = ? WHERE id = ? AND identity IS NULL",
                (identity, number),
            )
            if not changed:
                raise GalleryError(
                    f"{engine.place}: image {number} is not there, or has an identity already; "
                    "correct its number, or move it with 'apnet gallery merge'"
                )
        note(engine, "label", len(names))
    return len(names)
