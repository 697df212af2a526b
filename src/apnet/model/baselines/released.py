"""The arrangement of the authors' released code, which is another model than the paper's.

Fine to coarse; the finer levels are split attentions (softmax over the parts) with a batch norm
over the map after each, the global level is a squeeze-and-excitation of eight hidden units.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from apnet.errors import ConfigError
from apnet.model.attention import ChannelAttention
from apnet.model.splits import check_parts

_GLOBAL_HIDDEN = 8
_SPLIT_REDUCTION = 4
_SPLIT_HIDDEN_FLOOR = 32


class SplitAttention(nn.Module):
    """Weighs n groups of C/n channels against each other, channel by channel.

    The parts are summed and pooled, one FC-BN-ReLU-FC shared by all of them follows, then a softmax
    over the parts: for each of the C/n channels the n weights sum to 1.

    Args:
        channels: C.
        parts: n, at least 2; must divide C.
    """

    def __init__(self, channels: int, parts: int) -> None:
        super().__init__()
        hidden = max(channels * parts // _SPLIT_REDUCTION, _SPLIT_HIDDEN_FLOOR)
        self.parts = parts
        self.weigh = nn.Sequential(
            nn.Linear(channels // parts, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, channels),
        )

    def forward(self, pooled: Tensor) -> Tensor:
        """Maps average-pooled channels (N, C) to weights (N, C) between 0 and 1."""
        summed = self._split(pooled).sum(dim=1)  # (N, n, C/n) -> (N, C/n)
        weights = self._split(self.weigh(summed)).softmax(dim=1)
        return weights.flatten(1)  # (N, n, C/n) -> (N, C)

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), self.parts, -1)  # (N, C) -> (N, n, C/n)


class ReleasedPyramid(nn.Module):
    """The released pyramid of one place in the network, fine to coarse.

    Args:
        channels: C of the maps; a multiple of 8.
        parts: parts per level, coarse to fine as everywhere; the first is 1, the others at least 2.

    Raises:
        ConfigError: the levels do not start with 1, a finer one has fewer than 2 parts, or the
            channels do not divide.
    """

    def __init__(self, channels: int, parts: Sequence[int] = (1, 2)) -> None:
        super().__init__()
        check_parts(parts, channels, "channels")
        if parts[0] != 1 or min((2, *parts[1:])) < 2 or channels % _GLOBAL_HIDDEN:
            raise ConfigError(
                f"the released arrangement needs one part at level 1, at least two at each finer "
                f"level, and channels in multiples of {_GLOBAL_HIDDEN}; got parts {tuple(parts)} "
                f"and {channels} channels"
            )
        finer = tuple(reversed(parts[1:]))
        self.splits = nn.ModuleList(SplitAttention(channels, count) for count in finer)
        self.norms = nn.ModuleList(_shiftless_norm(channels) for _ in finer)
        self.overall = ChannelAttention(channels, reduction=channels // _GLOBAL_HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) float to the same shape."""
        return self.levels(x)[-1]

    def levels(self, x: Tensor) -> list[Tensor]:
        """Returns the map before the pyramid, then after each step: finest first, global last."""
        maps = [x]
        for split, norm in zip(self.splits, self.norms, strict=True):
            weights = split(maps[-1].mean(dim=(2, 3)))
            maps.append(norm(_scale(maps[-1], weights)))
        gate = torch.sigmoid(self.overall(maps[-1].mean(dim=(2, 3))))
        maps.append(_scale(maps[-1], gate))
        return maps


def _scale(x: Tensor, by: Tensor) -> Tensor:
    return x * by[:, :, None, None]  # (N, C) -> (N, C, 1, 1)


def _shiftless_norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels)
    norm.bias.requires_grad_(False)
    return norm
