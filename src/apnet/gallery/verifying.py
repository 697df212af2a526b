"""Whether a gallery is sound, and what is in it in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from apnet.errors import GalleryError
from apnet.gallery.engines.engine import Engine
from apnet.gallery.records import GalleryFacts
from apnet.gallery.rows import all_identities, count_of, features_of, images_after
from apnet.gallery.values import time_text
from apnet.progress import Progress

_BLOCK = 4096
_TOLERANCE = 1e-3
_CAMERAS = "(SELECT DISTINCT camera FROM images WHERE camera <> '') AS cameras"


def problems(engine: Engine, facts: GalleryFacts, progress: Progress) -> list[str]:
    """Returns what is wrong: with the database's files, with rows, with features."""
    found = engine.check()
    for what, condition in (
        ("images have no feature", "images i WHERE NOT EXISTS (SELECT 1 FROM features f "
         "WHERE f.image = i.id)"),
        ("features have no image", "features f WHERE NOT EXISTS (SELECT 1 FROM images i "
         "WHERE i.id = f.image)"),
        ("images belong to nobody who is there", "images i WHERE i.identity IS NOT NULL AND NOT "
         "EXISTS (SELECT 1 FROM identities p WHERE p.id = i.identity)"),
    ):  # fmt: skip
        count = count_of(engine, condition)
        found += [f"{count:,} {what}"] * bool(count)
    try:
        all_identities(engine)
    except ValueError:
        found.append("the metadata of an identity is no JSON")
    return found + _features(engine, facts, progress)


def _features(engine: Engine, facts: GalleryFacts, progress: Progress) -> list[str]:
    last, done, total, wrong = 0, 0, count_of(engine, "features"), 0
    while True:
        with engine.view():  # others may remove images meanwhile
            images = images_after(engine, last, _BLOCK)
            if not images:
                break
            try:
                features = features_of(engine, [each.id for each in images])
            except (GalleryError, KeyError) as error:
                return [f"a feature cannot be read: {error}"]
        last = images[-1].id
        norms = np.linalg.norm(features.astype(np.float64), axis=1)
        wrong += int((~(np.abs(norms - 1) < _TOLERANCE)).sum())
        done += len(images)
        progress(done, total)
    return [f"{wrong:,} features are not of length 1"] * bool(wrong)


def statistics(engine: Engine) -> dict[str, Any]:
    """Returns counts, sizes and times."""
    with engine.view():
        oldest, newest = engine.rows("SELECT MIN(added), MAX(added) FROM images")[0]
        return {
            "identities": count_of(engine, "identities"),
            "images": count_of(engine, "images"),
            "without_identity": count_of(engine, "images WHERE identity IS NULL"),
            "cameras": count_of(engine, _CAMERAS),
            "thumbnails_held": count_of(engine, "thumbnails"),
            "bytes": engine.size(),
            "oldest": time_text(oldest),
            "newest": time_text(newest),
            "index": engine.index_note(exact=True),
        }
