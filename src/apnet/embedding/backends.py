"""What every engine returns: a function from images to features, with its name and arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from apnet.devices import Precision, autocast

Arithmetic = Literal["float32", "bf16", "int8"]


@dataclass(frozen=True)
class Backend:
    """A network that is ready to compute features.

    Attributes:
        name: of the engine that built it, such as ``eager`` or ``openvino``.
        precision: its arithmetic.
        run: (N, 3, H, W) float32 on the CPU, normalised, to (N, D) float32 on the CPU.
    """

    name: str
    precision: Arithmetic
    run: Callable[[Tensor], Tensor]

    def __str__(self) -> str:
        return f"{self.name} {self.precision}"

    def embed(self, images: Tensor, *, flip: bool) -> Tensor:
        """Returns L2-normalised features, (N, D), as ``embed_images`` does."""
        return with_mirror(self.run, images, flip)


def with_mirror(embed: Callable[[Tensor], Tensor], images: Tensor, flip: bool) -> Tensor:
    """Returns L2-normalised features; with ``flip`` of the sum with the mirror image's.

    Args:
        embed: (N, 3, H, W) to (N, D).
        images: (N, 3, H, W).
        flip: whether to add the mirror image's feature.

    Returns:
        (N, D) float32.
    """
    features = embed(images).float()
    if flip:
        features = features + embed(images.flip(3)).float()
    return functional.normalize(features)


def torch_runner(
    embed: Callable[[Tensor], Tensor], device: torch.device, precision: Precision
) -> Callable[[Tensor], Tensor]:
    """Returns a ``Backend.run`` that computes with PyTorch, without gradients.

    Args:
        embed: (N, 3, H, W) channels last on the device, to (N, D).
        device: where ``embed`` computes.
        precision: arithmetic of its forward pass.
    """

    def run(images: Tensor) -> Tensor:
        images = images.to(device, memory_format=torch.channels_last)
        with torch.inference_mode(), autocast(precision, device):
            return embed(images).float().cpu()

    return run
