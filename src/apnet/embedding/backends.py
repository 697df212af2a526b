"""What every engine returns: a function from images to features, with its name and arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from apnet.devices import Precision, autocast
from apnet.errors import ConfigError

Arithmetic = Literal["float32", "bf16", "float16", "int8"]


@dataclass(frozen=True)
class Backend:
    """A network that is ready to compute features.

    Attributes:
        name: of the engine that built it, such as ``eager`` or ``openvino``.
        precision: its arithmetic.
        run: (N, 3, H, W) float32 on the CPU, normalised, to (N, D) float32 on the CPU.
        mirrored: whether ``run`` adds the mirror image's feature itself.
    """

    name: str
    precision: Arithmetic
    run: Callable[[Tensor], Tensor]
    mirrored: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.precision}"

    def embed(self, images: Tensor, *, flip: bool) -> Tensor:
        """Returns L2-normalised features, (N, D), as ``embed_images`` does.

        Raises:
            ConfigError: without ``flip`` where the mirror image is always added.
        """
        if self.mirrored and not flip:
            raise ConfigError(
                f"{self.name} adds the mirror image's feature itself; leave --no-flip (flip=False) "
                "out, or export the network again with --no-flip"
            )
        return with_mirror(self.run, images, flip and not self.mirrored)


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
