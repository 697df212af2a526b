"""Convolutional block attention: a gate per channel, then a gate per position.

Woo et al., "CBAM: Convolutional Block Attention Module", ECCV 2018 (Eq. 1-3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from apnet.model.attention.channel import ChannelAttention
from apnet.model.attention.widths import narrowed
from apnet.model.fast.channels_last import pool, scale

_KERNEL = 7


class ConvolutionalBlockAttention(nn.Module):
    """Reweights a map by channel and then by position; no layer has biases, as in the equations.

    * channel: ``sigmoid(W_1 ReLU(W_0 average) + W_1 ReLU(W_0 maximum))``, pooled over space
    * position: ``sigmoid(conv7x7([average; maximum]))``, pooled over channels

    Args:
        channels: C.
        reduction: C divided by the hidden width of the channel gate, which is at least 1.

    Raises:
        ConfigError: an argument is below 1.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        narrowed("cbam", channels, reduction)
        self.channel = ChannelAttention(channels, 1, reduction)  # W_1 ReLU(W_0 .)
        self.spatial = nn.Conv2d(2, 1, _KERNEL, padding=_KERNEL // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to the reweighted map, of the same shape and type."""
        logits = self.channel(pool(x)) + self.channel(x.amax(dim=(2, 3)))  # (N, C)
        x = scale(x, torch.sigmoid(logits)[:, :, None, None])
        pooled = torch.cat((x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)), dim=1)
        return scale(x, torch.sigmoid(self.spatial(pooled)))  # (N, 2, H, W) -> (N, 1, H, W)
