"""Fills a new gallery from the images of another one, when the network changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from apnet.arguments import AnyPath
from apnet.data import read_image
from apnet.data.images import pixels_of
from apnet.embedding.engines.eager import unchanged_backend
from apnet.embedding.stream import EmbedOptions, embed_stream
from apnet.errors import ApnetError, GalleryError
from apnet.files import is_file
from apnet.gallery.adding import BATCH
from apnet.gallery.binding import write_facts
from apnet.gallery.engines import Engine, create_engine
from apnet.gallery.enrolment import file_input
from apnet.gallery.pictures import image_digest, open_thumbnail
from apnet.gallery.records import GalleryFacts, HeldImage, NewImage, Sighting
from apnet.gallery.row_changes import identity_number, insert_images, note
from apnet.gallery.rows import all_identities, images_after, thumbnails_of
from apnet.gallery.schema import make_tables
from apnet.model.shapes import evaluating
from apnet.progress import Progress

if TYPE_CHECKING:
    from apnet.models import Model


@dataclass(frozen=True)
class Kept:
    """An image of the old gallery and where its pixels are: its file, or its thumbnail."""

    held: HeldImage
    thumbnail: bytes | None
    from_file: bool

    def read(self) -> torch.Tensor:
        """Returns its pixels, (3, H, W) uint8."""
        if self.from_file:
            return read_image(Path(self.held.source))
        assert self.thumbnail is not None
        return pixels_of(open_thumbnail(self.thumbnail))


def kept_images(engine: Engine) -> list[Kept]:
    """Returns all images of a gallery with where their pixels are.

    A file is used where it is still the same; otherwise the thumbnail.

    Raises:
        GalleryError: of some images there is neither; how many, and the first, are named.
    """
    kept: list[Kept] = []
    while held := images_after(engine, kept[-1].held.id if kept else 0, BATCH):
        thumbnails = thumbnails_of(engine, [each.id for each in held])
        kept += [Kept(each, thumbnails.get(each.id), _same_file(each)) for each in held]
    lost = [each.held for each in kept if not each.from_file and each.thumbnail is None]
    if lost:
        raise GalleryError(
            f"{engine.place}: of {len(lost):,} of {len(kept):,} images there is no picture any "
            f"more, the first is '{lost[0].source or lost[0].id}'; put the files back, or remove "
            "these images"
        )
    return kept


def _same_file(held: HeldImage) -> bool:
    path = Path(held.source)
    if not held.source:
        return False
    try:
        return is_file(path) and image_digest(file_input(path)) == held.digest
    except ApnetError:
        return False


def fill_anew(
    old: Engine,
    kept: Sequence[Kept],
    place: AnyPath,
    facts: GalleryFacts,
    model: Model,
    progress: Progress,
) -> None:
    """Makes a new gallery and fills it with images of an old one, all or none.

    Names, metadata, cameras, times and thumbnails come along; the audit log begins anew.

    Raises:
        GalleryError: there is something at the new place, or it cannot be written.
    """
    engine = create_engine(place, facts.feature_dim)
    try:
        with engine.change():
            make_tables(engine)
            write_facts(engine, facts)
            numbers = {
                each.name: identity_number(engine, each.name, each.metadata)
                for each in all_identities(old)
            }
            done = 0
            for images in _embedded(model, facts, kept):
                names = [image.name for image in images]
                insert_images(engine, images, [numbers[each] if each else None for each in names])
                done += len(images)
                progress(done, len(kept))
            note(engine, "re-embed", done)
    finally:
        engine.close()


def _embedded(model: Model, facts: GalleryFacts, kept: Sequence[Kept]) -> Iterator[list[NewImage]]:
    options = EmbedOptions(model.image_size, facts.flip, batch_size=BATCH)
    with evaluating(model.embedder):
        backend = unchanged_backend(model.embedder, "float32")
        for batch in embed_stream(backend, kept, options, Kept.read):
            yield [
                NewImage(
                    feature,
                    each.held.digest,
                    Sighting(each.held.camera, each.held.time, each.held.source),
                    each.held.name,
                    thumbnail=each.thumbnail if facts.thumbnails else None,
                    added=each.held.added,
                )
                for each, feature in zip(batch.records, batch.features, strict=True)
            ]


def facts_anew(old: GalleryFacts, model: Model, network: str, created: float) -> GalleryFacts:
    """Returns the facts of a gallery that another network fills."""
    return replace(
        old,
        feature_dim=model.embedder.feature_dim,
        fingerprint=model.fingerprint,
        image_size=model.image_size,
        network=network,
        created=created,
    )
