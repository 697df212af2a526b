"""Galleries as files: all features for other programs, and all that is held about one person."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.errors import DataError, GalleryError
from apnet.files import parse_json, write_json
from apnet.gallery.adding import unit_features
from apnet.gallery.binding import check_fingerprint
from apnet.gallery.engines.engine import Engine
from apnet.gallery.records import GalleryFacts, HeldImage, Identity, NewImage, Sighting
from apnet.gallery.removal import known_identity
from apnet.gallery.row_changes import changing, note
from apnet.gallery.rows import all_identities, features_of, images_after, images_of, thumbnails_of
from apnet.gallery.values import (
    as_time,
    checked_camera,
    checked_metadata,
    checked_name,
    checked_source,
    time_text,
)
from apnet.retrieval.files.npz import open_npz, write_npz

_BLOCK = 4096
_TEXTS = ("identities", "cameras", "paths", "digests", "metadata", "fingerprint")
_ARRAYS = ("features", "times", *_TEXTS)


def export_all(engine: Engine, facts: GalleryFacts, out: Path) -> int:
    """Writes ``features``, ``identities`` and the rest, see ``Gallery.export``."""
    if out.suffix.lower() != ".npz":
        raise GalleryError(f"{out}: name a file that ends in .npz")
    with engine.view():
        images = _all_images(engine)
        people = all_identities(engine)
        features = np.empty((len(images), facts.feature_dim), np.float32)
        for start in range(0, len(images), _BLOCK):
            part = [each.id for each in images[start : start + _BLOCK]]
            features[start : start + len(part)] = features_of(engine, part)
    write_npz(out, _arrays(features, images, people, facts))
    with changing(engine):
        note(engine, "export", len(images))
    return len(images)


def _all_images(engine: Engine) -> list[HeldImage]:
    images: list[HeldImage] = []
    while more := images_after(engine, images[-1].id if images else 0, _BLOCK):
        images += more
    return images


def _arrays(
    features: NDArray[np.float32],
    images: list[HeldImage],
    people: list[Identity],
    facts: GalleryFacts,
) -> dict[str, NDArray[Any]]:
    pids = {each.name: number for number, each in enumerate(people)}
    cameras = {
        name: number for number, name in enumerate(sorted({each.camera for each in images} - {""}))
    }
    times = [np.nan if each.time is None else each.time for each in images]
    return {
        "features": features,
        "identities": np.array([each.name or "" for each in images], np.str_),
        "cameras": np.array([each.camera for each in images], np.str_),
        "times": np.array(times, np.float64),
        "paths": np.array([each.source for each in images], np.str_),
        "digests": np.array([each.digest.hex() for each in images], np.str_),
        "metadata": np.array(json.dumps({each.name: dict(each.metadata) for each in people})),
        "fingerprint": np.array(facts.fingerprint),
        "pids": np.array([pids.get(each.name or "", -1) for each in images], np.int64),
        "camids": np.array([cameras.get(each.camera, -1) for each in images], np.int64),
    }


def read_export(path: Path, place: str, facts: GalleryFacts) -> list[NewImage]:
    """Reads what ``export_all`` wrote, as images to add.

    Raises:
        DataError: the file is no export.
        GalleryError: it is of another network, or a value cannot be used.
    """
    with open_npz(path) as contents:
        absent = [name for name in _ARRAYS if name not in contents.names]
        if absent:
            raise DataError(
                f"{path}: no export of a gallery: it lacks {', '.join(absent)}; add features with "
                "'apnet gallery add'"
            )
        arrays = {name: np.asarray(contents.read(name, name)) for name in _ARRAYS}
    _check_arrays(path, arrays)
    check_fingerprint(place, facts, str(arrays["fingerprint"]))
    features = unit_features(arrays["features"], facts.feature_dim)
    known = parse_json(
        str(arrays["metadata"]), dict[str, dict[str, Any]], str(path), "export it again"
    )
    rows = zip(
        features,
        *(arrays[name].tolist() for name in ("identities", "cameras", "times", "paths", "digests")),
        strict=True,
    )
    return [
        NewImage(
            feature,
            bytes.fromhex(digest),
            Sighting(
                checked_camera(camera),
                None if np.isnan(time) else as_time(time),
                checked_source(source),
            ),
            checked_name(name) if name else None,
            checked_metadata(known.get(name)),
        )
        for feature, name, camera, time, source, digest in rows
    ]


def _check_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    count = arrays["features"].shape[0] if arrays["features"].ndim == 2 else -1
    for name in ("identities", "cameras", "times", "paths", "digests"):
        kind = "f" if name == "times" else "U"
        if arrays[name].dtype.kind != kind or arrays[name].shape != (count,):
            raise DataError(f"{path}: damaged: '{name}' does not fit its features; export it again")
    if any(arrays[name].dtype.kind != "U" for name in ("metadata", "fingerprint")):
        raise DataError(f"{path}: damaged: its texts are no texts; export it again")
    if any(len(each) != 64 or set(each) - set("0123456789abcdef") for each in arrays["digests"]):
        raise DataError(f"{path}: damaged: a digest is no sha256; export it again")


def export_identity(engine: Engine, facts: GalleryFacts, name: str, out: Path) -> int:
    """Writes all that is held about a person, see ``Gallery.export_identity``."""
    if out.suffix.lower() != ".json":
        raise GalleryError(f"{out}: name a file that ends in .json")
    with engine.view():
        identity = known_identity(engine, name)
        images = images_of(engine, identity.id)
        numbers = [each.id for each in images]
        features = features_of(engine, numbers) if numbers else np.empty((0, facts.feature_dim))
        thumbnails = thumbnails_of(engine, numbers)
        lines = engine.rows(
            "SELECT time, person, action, count FROM audit WHERE identity = ? ORDER BY id",
            (identity.id,),
        )
    write_json(
        out,
        {
            "name": identity.name,
            "metadata": dict(identity.metadata),
            "network": facts.fingerprint,
            "images": [
                {
                    "number": image.id,
                    "camera": image.camera,
                    "taken": time_text(image.time),
                    "added": time_text(image.added),
                    "source": image.source,
                    "sha256": image.digest.hex(),
                    "thumbnail_jpeg_base64": base64.b64encode(
                        thumbnails.get(image.id, b"")
                    ).decode(),
                    "feature": feature.tolist(),
                }
                for image, feature in zip(images, features, strict=True)
            ],
            "log": [
                {"time": time_text(line[0]), "user": line[1], "action": line[2], "count": line[3]}
                for line in lines
            ],
        },
    )
    with changing(engine):
        note(engine, "export", 1, identity.id)
    return len(images)
