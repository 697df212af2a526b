"""What is in a gallery, in full and in short."""

import json

import numpy as np

from apnet.gallery import Gallery

TABLES = ("facts", "identities", "images", "features", "thumbnails", "audit")


def state_of(gallery: Gallery) -> dict[str, list[tuple]]:
    """Returns every row of every table."""
    return {table: _rows(gallery, table) for table in TABLES}


def _rows(gallery, table):
    rows = gallery._engine.rows(f"SELECT * FROM {table}")
    return sorted([tuple(map(_plain, row)) for row in rows], key=repr)


def _plain(value):
    if isinstance(value, np.ndarray):
        return value.astype("<f4").tobytes()
    if isinstance(value, memoryview):
        return bytes(value)
    return str(value) if type(value).__module__.startswith("pgvector") else value


def unit(features):
    return features / np.linalg.norm(features, axis=-1, keepdims=True)


def names_of(gallery):
    """Returns the number of images by identity."""
    return {each.name: each.images for each in gallery.identities()}


def set_metadata(gallery, metadata):
    """Gives identities metadata, as adding pictures does."""
    with gallery._engine.change():
        for name, values in metadata.items():
            gallery._engine.run(
                "UPDATE identities SET metadata = ? WHERE name = ?", (json.dumps(values), name)
            )
