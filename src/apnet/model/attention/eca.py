"""Efficient channel attention: a convolution along the pooled channels.

Wang et al., "ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks", CVPR
2020: ``logits = conv1d(average(x))`` (Eq. 9), with a kernel that grows with C (Eq. 12).
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from apnet.devices import without_autocast
from apnet.model.attention.widths import narrowed
from apnet.model.fast.channels_last import pool


class EfficientChannelAttention(nn.Module):
    """A gate per channel, from the averages of the channels beside it.

    The kernel has ``log2(C)/2 + 1/2`` weights, rounded to the nearest odd number, and no bias.

    Args:
        channels: C.

    Raises:
        ConfigError: there is no channel.
    """

    looks_at_average = True

    def __init__(self, channels: int) -> None:
        super().__init__()
        kernel = _kernel(narrowed("eca", channels, 1))
        self.conv = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to logits (N, C, 1, 1), any real number, in the weights' type."""
        pooled = pool(x)
        with without_autocast(x.device):
            row = pooled.to(self.conv.weight.dtype).unsqueeze(1)  # (N, C) -> (N, 1, C)
            logits: Tensor = self.conv(row)
        return logits.reshape(*pooled.shape, *[1] * (x.ndim - 2))

    def zero_logits(self) -> None:
        """Lets every logit begin at zero."""
        nn.init.zeros_(self.conv.weight)


def _kernel(channels: int) -> int:
    """Returns the odd number nearest to (log2(C) + 1) / 2; of two, the larger."""
    whole = int((math.log2(channels) + 1) / 2)
    return whole if whole % 2 else whole + 1
