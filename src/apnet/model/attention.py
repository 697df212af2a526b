"""The two sub-attentions of the paper: channel (section III-B, Eq. 5) and spatial (Eq. 4).

Both return logits; the pyramid applies the sigmoid (Eq. 3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from apnet.errors import ConfigError

_RATIO = 8
"""RGA's reduction of channels, of nodes, and of the last hidden width."""


class ChannelAttention(nn.Module):
    """n squeeze-and-excitation sub-attentions, one for each group of C/n channels (Eq. 2 and 5).

    Each part has its own ``W_2 ReLU(W_1 .)``; all parts run as one grouped operation. No biases,
    as in Eq. 5.

    Args:
        channels: C.
        parts: n; must divide C.
        reduction: a part's C/n over its hidden width, which is at least 1.

    Raises:
        ConfigError: ``parts`` does not divide ``channels``, or an argument is below 1.
    """

    def __init__(self, channels: int, parts: int = 1, reduction: int = 16) -> None:
        super().__init__()
        if min(channels, parts, reduction) < 1 or channels % parts:
            raise ConfigError(
                f"channel attention needs parts that divide its channels and a reduction of at "
                f"least 1, got {channels} channels, {parts} parts, reduction {reduction}"
            )
        hidden = parts * max(channels // parts // reduction, 1)
        self.squeeze = nn.Conv1d(channels, hidden, 1, groups=parts, bias=False)
        self.excite = nn.Conv1d(hidden, channels, 1, groups=parts, bias=False)

    def forward(self, pooled: Tensor) -> Tensor:
        """Maps average-pooled channels (N, C) to logits (N, C), any real number."""
        column = pooled.unsqueeze(2)  # (N, C) -> (N, C, 1)
        logits: Tensor = self.excite(torch.relu(self.squeeze(column)))
        return logits.squeeze(2)  # (N, C, 1) -> (N, C)


class SpatialAttention(nn.Module):
    """Relation-aware global attention over the H*W nodes of a map: RGA-S (Eq. 4).

    Every width is floored at 1: C/8 for the embeddings theta, phi and g, H*W/8 for the relations,
    an eighth of their sum for the hidden layer.

    Args:
        channels: C.
        size: H and W of the maps, in map pixels; the relation weights fit this size only.
    """

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
        if tuple(x.shape[2:]) != self.size:
            raise ConfigError(
                f"this spatial attention was built for maps of {self.size[0]}x{self.size[1]}, got "
                f"{x.shape[2]}x{x.shape[3]}; give images of the size the network was built with"
            )
        theta = self.theta(x).flatten(2)  # (N, C', H, W) -> (N, C', H*W)
        phi = self.phi(x).flatten(2)  # (N, C', H, W) -> (N, C', H*W)
        related = relate(theta, phi, self.relation.weight)
        related = related.reshape(*related.shape[:2], *self.size)  # (N, K, H*W) -> (N, K, H, W)
        related = torch.relu(self.relation_norm(related))
        overview = self.overview(x).mean(dim=1, keepdim=True)  # (N, C', H, W) -> (N, 1, H, W)
        logits: Tensor = self.score(torch.cat((overview, related), dim=1))
        return logits


def relate(theta: Tensor, phi: Tensor, weight: Tensor) -> Tensor:
    """Applies a 1x1 convolution to the pairwise relations without ever forming them.

    With ``G = theta^T phi`` the relations out of and into each node, RGA convolves their stack:
    ``[W_in, W_out] [G^T; G]``. Nothing nonlinear lies between, so this equals
    ``(W_in phi^T) theta + (W_out theta^T) phi``: no M x M matrix is computed or stored.

    Args:
        theta: (N, C', M) embedded nodes.
        phi: (N, C', M) embedded nodes.
        weight: (K, 2M), the convolution's ``[W_in, W_out]``.

    Returns:
        (N, K, M).

    Example:
        >>> theta, phi = torch.ones(1, 2, 3), torch.ones(1, 2, 3)
        >>> relate(theta, phi, torch.ones(1, 6)).tolist()  # six relations, each 2
        [[[12.0, 12.0, 12.0]]]
    """
    weight_in, weight_out = weight.chunk(2, dim=1)  # (K, 2M) -> 2 x (K, M)
    received = (weight_in @ phi.transpose(1, 2)) @ theta  # (K, M) @ (N, M, C') @ (N, C', M)
    sent = (weight_out @ theta.transpose(1, 2)) @ phi
    return received + sent


def _conv_norm_relu(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )
