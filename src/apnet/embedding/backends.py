"""What computes features: one small interface, and PyTorch's own ways."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from apnet.devices import Precision, autocast
from apnet.embedding.folding import fold
from apnet.embedding.reference import with_mirror
from apnet.model import APNet

Arithmetic = Literal["float32", "bf16", "int8"]

BLOCK = 16
"""Images that a captured network takes at once."""


@dataclass(frozen=True)
class Backend:
    """A way to compute features.

    Attributes:
        name: ``eager``, ``folded``, ``compiled``, ``onnx`` or ``openvino``.
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


class Embedding(nn.Module):
    """A network whose forward pass is ``embed``, for exporters."""

    def __init__(self, network: APNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 3, H, W) to (N, D)."""
        return self.network.embed(images)


def eager_backend(network: APNet, device: torch.device, precision: Precision) -> Backend:
    """Returns the network as it is, in evaluation mode, channels last.

    Args:
        network: is moved to the device.
        device: where it runs.
        precision: its arithmetic.
    """
    network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Backend("eager", precision, _autocast(network.embed, device, precision))


def folded_backend(network: APNet, image_size: tuple[int, int], precision: Precision) -> Backend:
    """Returns the network with every batch norm that follows a convolution folded into it.

    Args:
        network: in evaluation mode, on the CPU; it is not changed.
        image_size: H and W in pixels.
        precision: its arithmetic.
    """
    module = fold(exported(network, image_size).module())
    run = _autocast(module, torch.device("cpu"), precision)
    return Backend("folded", precision, in_blocks(run))


def compiled_backend(network: APNet, image_size: tuple[int, int], precision: Precision) -> Backend:
    """Returns the folded network compiled by ``torch.compile``; its first batch takes a minute.

    Args:
        network: in evaluation mode, on the CPU; it is not changed.
        image_size: H and W in pixels.
        precision: its arithmetic.
    """
    module = torch.compile(fold(exported(network, image_size).module()), dynamic=False)
    run = _autocast(module, torch.device("cpu"), precision)
    return Backend("compiled", precision, in_blocks(run))


def exported(network: APNet, image_size: tuple[int, int]) -> torch.export.ExportedProgram:
    """Captures ``embed`` as a graph for ``BLOCK`` images.

    The size is fixed as not every backbone can be captured for any number of images.

    Args:
        network: in evaluation mode, on the CPU.
        image_size: H and W in pixels.
    """
    plain = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    with torch.no_grad():
        return torch.export.export(Embedding(plain).eval(), (torch.zeros(BLOCK, 3, *image_size),))


def in_blocks(run: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Lets a function of exactly ``BLOCK`` images take any number; zeros fill the last block."""

    def padded(block: Tensor) -> Tensor:
        missing = BLOCK - len(block)
        if not missing:
            return run(block)
        return run(torch.cat((block, block.new_zeros((missing, *block.shape[1:])))))[: len(block)]

    return lambda images: torch.cat([padded(block) for block in torch.split(images, BLOCK)])


def _autocast(
    embed: Callable[[Tensor], Tensor], device: torch.device, precision: Precision
) -> Callable[[Tensor], Tensor]:
    def run(images: Tensor) -> Tensor:
        images = images.to(device, memory_format=torch.channels_last)
        with torch.inference_mode(), autocast(precision, device):
            return embed(images).float().cpu()

    return run
