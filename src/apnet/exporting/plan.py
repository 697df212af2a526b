"""What is to be exported, and how; checked before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from apnet.exported.metadata import ExportMetadata, Pixels, Precision
from apnet.model import APNet


@dataclass(frozen=True)
class GraphPlan:
    """What the graph of an exported file contains.

    Attributes:
        pixels: what its input holds.
        input_size: H and W in pixels of its input.
        image_size: H and W in pixels that the network is for; where they differ, the graph resizes.
        flip: whether the mirror image's feature is added inside.
        precision: arithmetic of the network.
    """

    pixels: Pixels
    input_size: tuple[int, int]
    image_size: tuple[int, int]
    flip: bool
    precision: Precision

    @property
    def resizes(self) -> bool:
        """Whether the graph resizes its input."""
        return self.input_size != self.image_size


@dataclass(frozen=True)
class ExportJob:
    """What a target writes.

    Attributes:
        network: in evaluation mode, on the CPU; it is not changed.
        plan: what the graph contains.
        metadata: what the file says about itself.
        properties: further metadata that a program looks for, for targets that keep it.
        calibration: (N, 3, *input_size) uint8 images from which the ranges of 8-bit numbers are
            taken; none for other arithmetic.
        path: the file.
    """

    network: APNet
    plan: GraphPlan
    metadata: ExportMetadata
    properties: dict[str, str]
    calibration: Tensor
    path: Path
