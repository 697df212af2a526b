"""Pooling and heads of other toolkits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from apnet.model.baselines.stripes import NoPositions
from apnet.model.network import HeadFeatures, new_classifier

_LEAST = 1e-6


class ProjectedHead(nn.Module):
    """A projection of the pooled vector, perhaps a BN neck, and a linear classifier without bias.

    Args:
        project: (N, C) to (N, width).
        width: D of the feature.
        num_classes: training identities; 0 builds no classifier.
        neck: whether there is a BN neck.
        weight: what the feature before the neck is multiplied by.
    """

    def __init__(
        self,
        project: nn.Module,
        width: int,
        num_classes: int,
        *,
        neck: bool = True,
        weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.width = width
        self.weight = weight
        self.project = project
        self.neck = nn.BatchNorm1d(width) if neck else nn.Identity()
        if isinstance(self.neck, nn.BatchNorm1d):
            self.neck.bias.requires_grad_(False)
        self.classifier = new_classifier(width, num_classes)

    def features(self, pooled: Tensor) -> HeadFeatures:
        """Returns (N, width) before and after the neck."""
        x = self.project(pooled)
        return HeadFeatures(x * self.weight, self.neck(x))


class PooledBranch(nn.Module):
    """Pools one vector per head from the trunk's output, in a way of its own.

    Args:
        pool: the trunk's output to a list of (N, C), one per head.
        heads: the heads.
    """

    def __init__(self, pool: nn.Module, heads: Sequence[nn.Module]) -> None:
        super().__init__()
        self.body = NoPositions()
        self.pool = pool
        self.heads = nn.ModuleList(heads)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps the trunk's output to one (N, C) per head."""
        pooled: list[Tensor] = self.pool(x)
        return pooled


class AveragePool(nn.Module):
    """The mean over positions."""

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps (N, C, H, W) to one (N, C)."""
        return [x.mean(dim=(2, 3))]


class GeneralizedMean(nn.Module):
    """The generalised mean over positions: ``mean(x^p)^(1/p)`` (Radenovic et al., TPAMI 2019).

    Args:
        learned: whether p is a weight, and not always 3.
    """

    def __init__(self, *, learned: bool) -> None:
        super().__init__()
        p = torch.full((1,), 3.0)
        self.p = nn.Parameter(p) if learned else nn.Buffer(p, persistent=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps (N, C, H, W) to one (N, C)."""
        raised = x.clamp(min=_LEAST).pow(self.p)
        return [raised.mean(dim=(2, 3)).pow(1 / self.p)]
