"""Attributes of images by which an evaluation is broken down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.errors import DataError


@dataclass(frozen=True)
class ImageAttributes:
    """Known attributes of N images; every field has N entries.

    Attributes:
        views: ``front``, ``side`` or ``back``; empty where unknown.
        occlusion: (N,) hidden share of the person, 0 to 1; NaN where unknown.
        pixels: (N,) height of the person in the source picture in pixels; NaN where unknown.
        lights: kinds of light, by name; empty where unknown.
        clothes: changes of clothes, one name per outfit, empty for the usual outfit; None where
            unknown.

    Raises:
        DataError: on construction, when the fields have different lengths.
    """

    views: tuple[str, ...]
    occlusion: NDArray[np.float64]
    pixels: NDArray[np.float64]
    lights: tuple[str, ...]
    clothes: tuple[str | None, ...]

    def __post_init__(self) -> None:
        counts = {name: len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(set(counts.values())) > 1:
            raise DataError(
                f"image attributes must have one entry per image in every field, got {counts}"
            )

    def __len__(self) -> int:
        return len(self.views)
