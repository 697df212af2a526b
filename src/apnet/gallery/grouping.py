"""Groups images without identity into persons: proposed as a table, applied after a review."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from apnet.data.table_text import TableForm, read_table_text
from apnet.errors import GalleryError, located
from apnet.extras import require
from apnet.files import atomic_write
from apnet.gallery.adding import label_images
from apnet.gallery.engines.engine import Engine, Wanted
from apnet.gallery.records import HeldImage
from apnet.gallery.rows import all_identities, features_of, images_of
from apnet.gallery.values import checked_name, time_text

MOST = 10_000
"""Images that are grouped at once; their similarities take 400 MB."""

TABLE = TableForm(
    ("image", "name"),
    (),
    "a CSV file that 'apnet gallery group' wrote, with the columns image, name",
)
"""A reviewed proposal; an empty name leaves an image without identity."""

_NEW = "person-"


@dataclass(frozen=True)
class Group:
    """Images that are proposed to show one person.

    Attributes:
        name: of an identity that is there, or a new one.
        known: whether it is there.
        images: of the group.
        similarity: mean cosine between its images; 1 for a single one.
    """

    name: str
    known: bool
    images: tuple[HeldImage, ...]
    similarity: float


def propose_groups(engine: Engine, threshold: float) -> list[Group]:
    """Groups the images without identity, by average linkage.

    Two groups are one where the mean cosine between their images reaches the threshold. A group
    whose mean reaches it with the mean of an identity that is there gets that name.

    Args:
        engine: of the gallery.
        threshold: cosine, from -1 to 1.

    Raises:
        GalleryError: there are no such images, or more than ``MOST``.
    """
    with engine.view():
        images = images_of(engine, None)
        if not images:
            raise GalleryError(
                f"{engine.place}: no images without identity; there is nothing to do"
            )
        if len(images) > MOST:
            raise GalleryError(
                f"{engine.place}: {len(images):,} images without identity; at most {MOST:,} are "
                "grouped at once: name some, or export them and cluster them elsewhere"
            )
        features = features_of(engine, [each.id for each in images])
        labels = _labels(features, threshold)
        taken = {each.name for each in all_identities(engine)}
        groups = []
        for label in range(labels.max() + 1):
            rows = np.flatnonzero(labels == label)
            name = _known_name(engine, features[rows], threshold)
            known = name is not None
            name = name or _new_name(taken)
            taken.add(name)
            members = tuple(images[row] for row in rows)
            groups.append(Group(name, known, members, _cohesion(features[rows])))
    return groups


def _labels(features: NDArray[np.float32], threshold: float) -> NDArray[np.int64]:
    """Returns the group of each image; groups are numbered by their first image."""
    if len(features) == 1:
        return np.zeros(1, np.int64)
    hierarchy = require("scipy.cluster.hierarchy", "gallery")
    apart = require("scipy.spatial.distance", "gallery").squareform(
        np.clip(1 - features @ features.T, 0, 2), checks=False
    )
    tree = hierarchy.linkage(apart, "average")
    found = hierarchy.fcluster(tree, 1 - threshold, "distance")
    _, first, labels = np.unique(found, return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    numbered: NDArray[np.int64] = order[labels]
    return numbered


def _known_name(engine: Engine, features: NDArray[np.float32], threshold: float) -> str | None:
    mean = features.mean(axis=0, keepdims=True)
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    (nearest,) = engine.nearest_means(mean, 1, Wanted())
    if not len(nearest.similarities) or nearest.similarities[0] < threshold:
        return None
    number = int(nearest.identities[0])
    return next(each.name for each in all_identities(engine) if each.id == number)


def _new_name(taken: set[str]) -> str:
    number = 1
    while f"{_NEW}{number:04d}" in taken:
        number += 1
    return f"{_NEW}{number:04d}"


def _cohesion(features: NDArray[np.float32]) -> float:
    count = len(features)
    if count == 1:
        return 1.0
    total = float((features.astype(np.float64).sum(axis=0) ** 2).sum())
    return (total - count) / (count * (count - 1))


def write_proposal(groups: Sequence[Group], out: Path) -> None:
    """Writes a proposal as a table: image, name, known, similarity, camera, time, source.

    Raises:
        DataError: it cannot be written.
    """
    with atomic_write(out) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "name", "known", "similarity", "camera", "time", "source"])
        for group in groups:
            for image in group.images:
                writer.writerow(
                    [
                        image.id,
                        group.name,
                        "yes" if group.known else "no",
                        f"{group.similarity:.4f}",
                        image.camera,
                        time_text(image.time),
                        image.source,
                    ]
                )


def apply_proposal(engine: Engine, table: Path) -> int:
    """Gives images the names of a reviewed proposal, all or none; returns how many.

    Raises:
        DataError: the file is no such table.
        GalleryError: an image is not there or has an identity, or a name cannot be used.
    """
    names: dict[int, str] = {}
    for line, cells in read_table_text(table, TABLE).rows:
        with located(f"{table}, line {line}", GalleryError):
            if not (cells["image"].isascii() and cells["image"].isdecimal()):
                raise GalleryError(f"image is {cells['image'][:40]!r}; use the number of an image")
            number = int(cells["image"][:18])
            if number in names:
                raise GalleryError(f"image {number} is there twice; keep one line")
            if cells["name"]:
                names[number] = checked_name(cells["name"])
    return label_images(engine, names)
