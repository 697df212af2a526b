"""The images on which an exported file is compared with the original."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from apnet.arguments import AnyPath
from apnet.data.image_paths import list_images
from apnet.embedding.stream import decoded_batches
from apnet.errors import ConfigError
from apnet.synthetic import EASY, make_people
from apnet.types import ImageRecord

COMPARED = 64
"""Most images that are compared."""

CALIBRATING = 32
"""Most further images from which the ranges of 8-bit numbers are taken."""

LEAST = 8
"""Fewest images that are compared."""

_RENDERED = 8
"""Synthetic people, with 4 images each, where no images are given."""


def gate_images(
    source: AnyPath | None,
    size: tuple[int, int],
    *,
    calibrate: bool,
    notify: Callable[[str], None],
) -> tuple[Tensor, Tensor]:
    """Returns images to compare and images to calibrate with, each (N, 3, *size) uint8.

    Args:
        source: a folder, image or table; images are spread evenly over it. ``None`` renders
            synthetic people.
        size: H and W in pixels.
        calibrate: whether images to calibrate with are needed.
        notify: told about files that are left out.

    Raises:
        ConfigError: there are too few images; calibration without images of one's own.
        DataError: the folder is missing or holds no images.
        ImageError: an image cannot be used.
    """
    if source is None:
        if calibrate:
            raise ConfigError(
                "int8 takes its ranges from images like those it will see; name a folder of them "
                "with --images"
            )
        return _rendered(size), torch.empty(0, 3, *size, dtype=torch.uint8)
    listing = list_images([source])
    for note in listing.notes:
        notify(note)
    records = listing.gallery
    wanted = COMPARED + (CALIBRATING if calibrate else 0)
    if len(records) < LEAST:
        raise ConfigError(
            f"{source}: {len(records)} images; comparing needs {LEAST} or more, of several people"
        )
    places = np.unique(np.linspace(0, len(records) - 1, min(wanted, len(records))).round())
    images = _decoded([records[int(place)] for place in places], size)
    if not calibrate:
        return images, images[:0]
    third = torch.arange(len(images)) % 3 == 2
    return images[~third], images[third]


def _rendered(size: tuple[int, int]) -> Tensor:
    with tempfile.TemporaryDirectory() as folder:
        make_people(
            Path(folder) / "people",
            ids=_RENDERED,
            images_per_id=4,
            seed=0,
            cameras=3,
            size=(128, 64),
            world=EASY,
            workers=1,
        )
        return _decoded(list_images([Path(folder) / "people"]).gallery, size)


def _decoded(records: Sequence[ImageRecord], size: tuple[int, int]) -> Tensor:
    return torch.cat([batch.images() for batch in decoded_batches(records, size)])
