"""The network as a graph for a fixed number of images, from which engines are built."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from apnet.model import APNet

BLOCK = 16
"""Images per call of a captured network."""


class Embedding(nn.Module):
    """A network whose forward pass is ``embed``, for exporters."""

    def __init__(self, network: APNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 3, H, W) to (N, D)."""
        return self.network.embed(images)


def exported(network: APNet, image_size: tuple[int, int]) -> torch.export.ExportedProgram:
    """Captures ``embed`` as a graph for ``BLOCK`` images.

    The number is fixed because some backbones cannot be captured for any number of images.

    Args:
        network: in evaluation mode, on the CPU; it is not changed.
        image_size: H and W in pixels.
    """
    plain = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    with torch.no_grad():
        return torch.export.export(Embedding(plain).eval(), (torch.zeros(BLOCK, 3, *image_size),))


def in_blocks(run: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Returns a function of any number of images, given one of exactly ``BLOCK``.

    The last block is filled with zeros, whose results are cut off.
    """

    def padded(block: Tensor) -> Tensor:
        missing = BLOCK - len(block)
        if not missing:
            return run(block)
        return run(torch.cat((block, block.new_zeros((missing, *block.shape[1:])))))[: len(block)]

    return lambda images: torch.cat([padded(block) for block in torch.split(images, BLOCK)])
