"""What the metadata of a synthetic set tell of test images, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from apnet.data.metadata import ImageNotes, Metadata
from apnet.types import ImageRecord

LIGHTS = frozenset({"sun", "shade", "overcast", "night", "indoor"})
"""The words of an image's scene that name its light."""

_NOTHING = ImageNotes(None, None, None, None, (), ())


class FactColumns(TypedDict):
    """Facts of N images.

    ``views`` front, side or back, empty where unknown; ``occlusion`` (N,) from 0 to 1, NaN where
    unknown; ``pixels`` (N,) the person's height in the source picture, NaN where unknown;
    ``lights``, empty where unknown; ``clothes`` what is worn otherwise than usual, None for an
    image of which nothing is known.
    """

    views: tuple[str, ...]
    occlusion: NDArray[np.float64]
    pixels: NDArray[np.float64]
    lights: tuple[str, ...]
    clothes: tuple[str | None, ...]


def fact_columns(metadata: Metadata, root: Path, records: Sequence[ImageRecord]) -> FactColumns:
    """Looks images up in the metadata of their set.

    Args:
        metadata: of the set.
        root: its folder, in which the metadata's paths are.
        records: N images; those that the metadata do not name are unknown in every column.
    """
    paths = {root / name: notes for name, notes in metadata.images.items()}
    known = [paths.get(record.path) for record in records]
    notes = [one or _NOTHING for one in known]
    return FactColumns(
        views=tuple(one.view or "" for one in notes),
        occlusion=_numbers(one.occlusion for one in notes),
        pixels=_numbers(one.pixels for one in notes),
        lights=tuple(_light(one) for one in notes),
        clothes=tuple(None if one is None else ", ".join(sorted(one.changes)) for one in known),
    )


def twin_pairs(metadata: Metadata) -> dict[str, list[tuple[int, int]]]:
    """Returns the pairs of pids of twins by kind, coarse ones first."""
    pairs: dict[str, list[tuple[int, int]]] = {}
    for twins in sorted(metadata.pairs, key=lambda one: one.kind):
        pairs.setdefault(twins.kind, []).append(twins.pids)
    return pairs


def _light(notes: ImageNotes) -> str:
    """The scene is place, weather and light without repetition: the last word that fits."""
    return next((word for word in reversed(notes.scene) if word in LIGHTS), "")


def _numbers(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
