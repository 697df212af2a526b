"""Columns of per-image metadata of a synthetic set, used to break results down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from apnet.data.metadata import ImageNotes, Metadata
from apnet.types import ImageRecord

LIGHTS = frozenset({"sun", "shade", "overcast", "night", "indoor"})
"""Words of an image's scene that name its lighting."""

_NOTHING = ImageNotes(None, None, None, None, (), ())


class MetadataColumns(TypedDict):
    """Metadata of N images.

    ``views``: front, side or back, empty where unknown. ``occlusion``: (N,) from 0 to 1, NaN where
    unknown. ``pixels``: (N,) the person's height in the source picture, NaN where unknown.
    ``lights``: lighting, empty where unknown. ``clothes``: changes from the usual clothes, None for
    an image without metadata.
    """

    views: tuple[str, ...]
    occlusion: NDArray[np.float64]
    pixels: NDArray[np.float64]
    lights: tuple[str, ...]
    clothes: tuple[str | None, ...]


def metadata_columns(
    metadata: Metadata, root: Path, records: Sequence[ImageRecord]
) -> MetadataColumns:
    """Returns the metadata of images as columns.

    Args:
        metadata: of the set.
        root: its folder; paths in the metadata are relative to it.
        records: N images; every column is unknown for an image that the metadata does not name.
    """
    paths = {root / name: notes for name, notes in metadata.images.items()}
    known = [paths.get(record.path) for record in records]
    notes = [one or _NOTHING for one in known]
    return MetadataColumns(
        views=tuple(one.view or "" for one in notes),
        occlusion=_numbers(one.occlusion for one in notes),
        pixels=_numbers(one.pixels for one in notes),
        lights=tuple(_light(one) for one in notes),
        clothes=tuple(None if one is None else ", ".join(sorted(one.changes)) for one in known),
    )


def twin_pairs(metadata: Metadata) -> dict[str, list[tuple[int, int]]]:
    """Returns the pid pairs of twins by kind, in the order of the kinds' names."""
    pairs: dict[str, list[tuple[int, int]]] = {}
    for twins in sorted(metadata.pairs, key=lambda one: one.kind):
        pairs.setdefault(twins.kind, []).append(twins.pids)
    return pairs


def _light(notes: ImageNotes) -> str:
    """Returns the lighting: the last word of the scene (place, weather, light) that names one."""
    return next((word for word in reversed(notes.scene) if word in LIGHTS), "")


def _numbers(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
