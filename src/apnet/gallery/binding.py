"""A gallery belongs to one network and preprocessing; anything else is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from apnet.errors import DataError, GalleryError
from apnet.files import parse_json, shortened
from apnet.gallery.engines.engine import Engine
from apnet.gallery.records import GalleryFacts
from apnet.gallery.rows import facts_of

if TYPE_CHECKING:
    from apnet.models import Model

_NAMES = tuple(GalleryFacts.__dataclass_fields__)


def facts_for(
    model: Model, *, network: str, flip: bool, thumbnails: bool, keep: float | None, created: float
) -> GalleryFacts:
    """Returns the facts of a gallery that a network fills."""
    return GalleryFacts(
        feature_dim=model.embedder.feature_dim,
        fingerprint=model.fingerprint,
        image_size=model.image_size,
        flip=flip,
        network=network,
        thumbnails=thumbnails,
        keep=keep,
        created=created,
    )


def write_facts(engine: Engine, facts: GalleryFacts) -> None:
    """Writes the facts of a new gallery, inside a change."""
    engine.run_many(
        "INSERT INTO facts VALUES (?, ?)",
        [(name, json.dumps(getattr(facts, name))) for name in _NAMES],
    )


def read_facts(engine: Engine) -> GalleryFacts:
    """Reads the facts.

    Raises:
        GalleryError: one is missing or damaged.
    """
    found = facts_of(engine)
    lost = [name for name in _NAMES if name not in found]
    if lost:
        raise GalleryError(f"{engine.place}: damaged: it lost '{lost[0]}'; restore a backup")
    text = ", ".join(f"{json.dumps(name)}: {found[name]}" for name in _NAMES)
    try:
        return parse_json(f"{{{text}}}", GalleryFacts, engine.place, "restore a backup")
    except DataError as error:
        raise GalleryError(str(error)) from None


def check_model(place: str, facts: GalleryFacts, model: Model) -> None:
    """Checks that a network is the one that fills a gallery.

    Raises:
        GalleryError: it is another one; the message says what differs.
    """
    differs = [
        f"{name} {theirs} instead of {ours}"
        for name, ours, theirs in (
            ("network", facts.fingerprint, model.fingerprint),
            ("image size", facts.image_size, model.image_size),
            ("length of features", facts.feature_dim, model.embedder.feature_dim),
        )
        if ours != theirs
    ]
    if differs:
        filled = f"'{facts.network}'" if facts.network else "the network that filled it"
        raise GalleryError(
            f"{place}: this model differs from what filled the gallery: {', '.join(differs)}; give "
            f"{shortened(filled)}, or fill a new gallery with 'apnet gallery re-embed'"
        )


def check_fingerprint(place: str, facts: GalleryFacts, fingerprint: str | None) -> None:
    """Checks that features come from the network that fills a gallery.

    Raises:
        GalleryError: they do not, or do not say so.
    """
    if (fingerprint or "") != facts.fingerprint:
        theirs = f"of network {fingerprint}" if fingerprint else "of an unknown network"
        ours = f"network {facts.fingerprint}" if facts.fingerprint else "an unknown network"
        raise GalleryError(f"{place}: the features are {theirs}, and {ours} filled this gallery")
