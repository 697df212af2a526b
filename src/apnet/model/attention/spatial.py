"""Spatial attention: relation-aware global attention over the nodes of a map, RGA-S (Eq. 4).

Zhang et al., "Relation-Aware Global Attention for Person Re-identification", CVPR 2020.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from apnet.errors import ConfigError
from apnet.model.fast.relations import relate
from apnet.model.fast.stacked_conv import joint_conv, joint_norm

_RATIO = 8
"""RGA's reduction of channels, of nodes, and of the last hidden width."""


class SpatialAttention(nn.Module):
    """Relation-aware global attention over the H*W nodes of a map: RGA-S (Eq. 4).

    Every width is floored at 1: C/8 for the embeddings theta, phi and g, H*W/8 for the relations,
    an eighth of their sum for the hidden layer.

    Args:
        channels: C.
        size: H and W of the maps, in map pixels; the relation weights fit this size only.
    """

    projects_nodes = True
    """``project`` is linear at each node, so a gate that is constant over channels passes it."""

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        if min(channels, *size) < 1:
            raise ConfigError(f"spatial attention got {channels} channels and a map of {size}")
        nodes = size[0] * size[1]
        embedded = max(channels // _RATIO, 1)
        related = max(nodes // _RATIO, 1)
        hidden = max((1 + related) // _RATIO, 1)
        self.size = size
        self.theta = _conv_norm_relu(channels, embedded)
        self.phi = _conv_norm_relu(channels, embedded)
        self.overview = _conv_norm_relu(channels, embedded)
        self.relation = nn.Linear(2 * nodes, related, bias=False)  # used through relate()
        self.relation_norm = nn.BatchNorm2d(related)
        self.score = nn.Sequential(
            _conv_norm_relu(1 + related, hidden),
            nn.Conv2d(hidden, 1, 1, bias=False),
            nn.BatchNorm2d(1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to logits (N, 1, H, W), any real number.

        Raises:
            ConfigError: the map does not have the size that the attention was built for.
        """
        return self.attend(self.project(x))

    def project(self, x: Tensor) -> Tensor:
        """Applies the three embeddings' convolutions at once: (N, C, H, W) to (N, 3C', H, W).

        It is linear at each node: ``project(gate * x)`` is ``gate * project(x)`` for a gate of
        (N, 1, H, W).

        Raises:
            ConfigError: the map does not have the size that the attention was built for.
        """
        if tuple(x.shape[2:]) != self.size:
            raise ConfigError(
                f"this spatial attention was built for maps of {self.size[0]}x{self.size[1]}, got "
                f"{x.shape[2]}x{x.shape[3]}; give images of the size the network was built with"
            )
        return joint_conv(x, self._embeddings()[0])

    def attend(self, projected: Tensor) -> Tensor:
        """Maps what ``project`` returns, before biases, to logits (N, 1, H, W)."""
        embedded = torch.relu(joint_norm(projected, *self._embeddings()))
        theta, phi, overview = embedded.chunk(3, dim=1)  # (N, 3C', H, W) -> 3 x (N, C', H, W)
        related = relate(theta.flatten(2), phi.flatten(2), self.relation.weight)
        related = related.reshape(*related.shape[:2], *self.size)  # (N, K, H*W) -> (N, K, H, W)
        related = torch.relu(self.relation_norm(related))
        return self._score(overview.mean(dim=1, keepdim=True), related)

    def zero_logits(self) -> None:
        """Lets every logit begin at zero: a scale of zero in the last batch norm."""
        nn.init.zeros_(self.score[-1].weight)  # type: ignore[arg-type]

    def _score(self, overview: Tensor, related: Tensor) -> Tensor:
        """Applies ``score`` to the stack of (N, 1, H, W) and (N, K, H, W) without stacking them."""
        first: Any = self.score[0]
        conv, *normalise = first
        of_overview, of_related = torch.split(conv.weight, [1, conv.in_channels - 1], dim=1)
        logits: Tensor = functional.conv2d(related, of_related, conv.bias)
        logits = logits + functional.conv2d(overview, of_overview)
        for module in (*normalise, *self.score[1:]):
            logits = module(logits)
        return logits

    def _embeddings(self) -> tuple[list[nn.Conv2d], list[nn.Module]]:
        """Returns the convolutions of theta, phi and overview, and what follows each."""
        blocks: list[Any] = [self.theta, self.phi, self.overview]
        return [block[0] for block in blocks], [block[1] for block in blocks]


def _conv_norm_relu(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )
