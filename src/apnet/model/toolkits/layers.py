"""Layers that networks of other toolkits are made of, and timm's ResNets are not."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the images that networks are given


class Renormalise(nn.Module):
    """Changes images normalised by ImageNet's mean and deviation to another normalisation.

    Args:
        mean: per channel, of values from 0 to 1.
        std: likewise.
    """

    def __init__(self, mean: tuple[float, float, float], std: tuple[float, float, float]) -> None:
        super().__init__()
        given, before = torch.tensor([mean, std]), torch.tensor([_MEAN, _STD])
        scale, shift = before[1] / given[1], (before[0] - given[0]) / given[1]
        self.scale = nn.Buffer(scale[:, None, None], persistent=False)  # (3, 1, 1)
        self.shift = nn.Buffer(shift[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 3, H, W) to the same shape."""
        return images * self.scale + self.shift


class InstanceBatchNorm(nn.Module):
    """Instance norm of the first half of the channels, batch norm of the others (IBN-Net-a).

    After Pan et al., "Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net",
    ECCV 2018.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.border = channels // 2
        self.instance = nn.InstanceNorm2d(self.border, affine=True)
        self.batch = nn.BatchNorm2d(channels - self.border)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to the same shape."""
        first, second = x[:, : self.border], x[:, self.border :]
        return torch.cat((self.instance(first.contiguous()), self.batch(second.contiguous())), 1)


class DotProductRelation(nn.Module):
    """A non-local block without softmax, of one inner channel (Wang et al., CVPR 2018, Eq. 4).

    ``y_i = theta(x_i) * mean_j phi(x_j) g(x_j)``: with products in place of a softmax, the sum over
    j is the same for every i, and the relations between positions need not be computed.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.value = nn.Conv2d(channels, 1, 1)
        self.query = nn.Conv2d(channels, 1, 1)
        self.key = nn.Conv2d(channels, 1, 1)
        self.out = nn.Sequential(nn.Conv2d(1, channels, 1), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to the same shape."""
        common = (self.key(x) * self.value(x)).mean(dim=(2, 3), keepdim=True)  # (N, 1, 1, 1)
        related: Tensor = x + self.out(self.query(x) * common)
        return related


class RelatedBlocks(nn.Module):
    """Residual blocks, the last of them followed by a relation each.

    Args:
        blocks: each (N, C, H, W) to the same shape, the first perhaps to a smaller one.
        relations: how many of them have one.
        channels: C.
    """

    def __init__(self, blocks: nn.Sequential, relations: int, channels: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.relations = nn.ModuleList(DotProductRelation(channels) for _ in range(relations))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C', H', W') to (N, C, H, W)."""
        first = len(self.blocks) - len(self.relations)
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number >= first:
                x = self.relations[number - first](x)
        return x
