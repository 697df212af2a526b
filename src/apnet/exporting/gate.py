"""The gate: an exported file must give the original's features on the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from apnet.data.transforms import normalise, resize
from apnet.embedding.agreement import agreement
from apnet.embedding.engines.eager import unchanged_backend
from apnet.errors import ConfigError
from apnet.exported.reading import ExportedFile
from apnet.exporting.plan import GraphPlan
from apnet.model import APNet
from apnet.model.shapes import evaluating

_BATCH = 16


@dataclass(frozen=True)
class GateLimits:
    """How far an exported file may be from the original."""

    difference: float
    """Greatest difference of a number, of features of length 1."""

    cosine: float
    """Smallest cosine between the two features of an image."""

    ranks: float
    """Share of nearest-neighbour decisions that agree, see ``Agreement.ranks``."""


EXACT = GateLimits(difference=1e-4, cosine=0.99999, ranks=0.999)
"""For float32."""

ROUNDED = GateLimits(difference=0.02, cosine=0.999, ranks=0.999)
"""For float16, and for graphs that resize, in which single pixels may differ by one step."""

EIGHT_BITS = GateLimits(difference=0.2, cosine=0.98, ranks=0.99)
"""For int8, which is asked for by name."""


@dataclass(frozen=True)
class GateResult:
    """What the gate measured, beside its limits."""

    difference: float
    cosine: float
    ranks: float
    images: int
    limits: GateLimits

    @property
    def passed(self) -> bool:
        """Whether all three figures are within the limits; NaN is not."""
        return (
            self.difference <= self.limits.difference
            and self.cosine >= self.limits.cosine
            and self.ranks >= self.limits.ranks
        )

    def __str__(self) -> str:
        limits = self.limits
        return (
            f"largest difference {self.difference:.2g} (at most {limits.difference:g}), smallest "
            f"cosine {self.cosine:.6f} (at least {limits.cosine:g}), rank agreement "
            f"{self.ranks:.2%} (at least {limits.ranks:.1%}) on {self.images} images"
        )


def limits_of(plan: GraphPlan) -> GateLimits:
    """Returns the limits for a plan."""
    if plan.precision == "int8":
        return EIGHT_BITS
    return ROUNDED if plan.precision == "float16" or plan.resizes else EXACT


def original_features(network: APNet, plan: GraphPlan, images: Tensor) -> NDArray[np.float32]:
    """Returns the features that the original gives, (N, D) of length 1.

    Args:
        network: the original, where it is.
        plan: of the exported file: image size and mirror image.
        images: (N, 3, *input_size) uint8.
    """
    with evaluating(network):
        backend = unchanged_backend(network, "float32")
        parts = [
            backend.embed(
                normalise(torch.stack([resize(image, plan.image_size) for image in part])),
                flip=plan.flip,
            )
            for part in torch.split(images, _BATCH)
        ]
    features: NDArray[np.float32] = torch.cat(parts).numpy()
    return features


def exported_features(file: ExportedFile, images: Tensor) -> NDArray[np.float32]:
    """Returns the features that a file gives: of the first image alone, then of the others.

    Args:
        file: the file, read as its users read it.
        images: (N, 3, *input_size) uint8.
    """
    backend = file.network.backend()
    flip = file.metadata.mirror
    parts = [part for part in (images[:1], *torch.split(images[1:], _BATCH)) if len(part)]
    rows = [backend.embed(normalise(part), flip=flip) for part in parts]
    features: NDArray[np.float32] = torch.cat(rows).numpy()
    return features


def measured(
    original: NDArray[np.float32], exported: NDArray[np.float32], limits: GateLimits
) -> GateResult:
    """Compares (N, D) features of the same images; another shape gives NaN."""
    if original.shape != exported.shape:
        return GateResult(np.nan, np.nan, np.nan, len(original), limits)
    found = agreement(original, exported)
    difference = float(np.abs(original.astype(np.float64) - exported).max())
    return GateResult(difference, found.cosine, found.ranks, len(original), limits)


def check_gate(result: GateResult, name: str) -> None:
    """Refuses a file that does not agree.

    Raises:
        ConfigError: it does not; nothing was written under its name.
    """
    if not result.passed:
        raise ConfigError(
            f"{name}: not written, as the exported network disagrees with the original: {result}; "
            "export in float32, or to another target"
        )
