"""Embeds images and adds them, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from apnet.embedding.engines.eager import unchanged_backend
from apnet.embedding.stream import EmbedOptions, embed_stream
from apnet.gallery.adding import BATCH, AddResult, add_batch, batches
from apnet.gallery.engines.engine import Engine
from apnet.gallery.enrolment import Given
from apnet.gallery.pictures import image_digest, jpeg_thumbnail
from apnet.gallery.records import GalleryFacts, NewImage
from apnet.gallery.rows import known_digests
from apnet.model.shapes import evaluating
from apnet.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from apnet.models import Model


def add_given(
    engine: Engine,
    model: Model,
    facts: GalleryFacts,
    given: Sequence[Given],
    progress: Progress,
) -> AddResult:
    """Embeds and adds images; those that are there already are not embedded again.

    Raises:
        DataError: an image cannot be used; the batches before it are in the gallery.
        GalleryError: an image is there under another name.
    """
    fresh: list[tuple[Given, bytes]] = []
    result = AddResult()
    for batch in batches(given):
        digests = [image_digest(each.image) for each in batch]
        there = known_digests(engine, digests)
        pairs = list(zip(batch, digests, strict=True))
        fresh += [pair for pair in pairs if pair[1] not in there]
        result += _relabelled(engine, [pair for pair in pairs if pair[1] in there])
    progress(len(given) - len(fresh), len(given))
    for images in _embedded(model, facts, fresh):
        result += add_batch(engine, images)
        progress(result.total, len(given))
    return result


def embedded_images(model: Model, facts: GalleryFacts, given: Sequence[Given]) -> list[NewImage]:
    """Returns images with their features and digests, in memory.

    Raises:
        DataError: an image cannot be used.
    """
    pairs = [(each, image_digest(each.image)) for each in given]
    return [image for batch in _embedded(model, facts, pairs) for image in batch]


def _relabelled(engine: Engine, there: Sequence[tuple[Given, bytes]]) -> AddResult:
    """Gives images that are there already their names, where they had none."""
    images = [
        NewImage(None, digest, each.sighting, each.name, each.metadata) for each, digest in there
    ]
    return add_batch(engine, images) if images else AddResult()


def _embedded(
    model: Model, facts: GalleryFacts, fresh: Sequence[tuple[Given, bytes]]
) -> Iterator[list[NewImage]]:
    options = EmbedOptions(model.image_size, facts.flip, batch_size=BATCH)
    with evaluating(model.embedder):
        backend = unchanged_backend(model.embedder, "float32")
        for batch in embed_stream(backend, fresh, options, lambda pair: pair[0].image.read()):
            yield [
                _new_image(each, digest, feature, facts)
                for (each, digest), feature in zip(batch.records, batch.features, strict=True)
            ]


def _new_image(
    given: Given, digest: bytes, feature: NDArray[np.float32], facts: GalleryFacts
) -> NewImage:
    thumbnail = jpeg_thumbnail(given.image.read()) if facts.thumbnails else None
    return NewImage(feature, digest, given.sighting, given.name, given.metadata, thumbnail)
