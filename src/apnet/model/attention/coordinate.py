"""Coordinate attention: a gate per channel and row times a gate per channel and column.

Hou et al., "Coordinate Attention for Efficient Mobile Network Design", CVPR 2021 (Eq. 4-9).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from apnet.model.attention.widths import narrowed
from apnet.model.fast.channels_last import scale


class CoordinateAttention(nn.Module):
    """Reweights a map by ``sigmoid(F_h f_h) * sigmoid(F_w f_w)``.

    f is the batch norm and h-swish of one 1x1 convolution of the averages of all rows and of all
    columns; f_h are its rows and f_w its columns. No convolution has biases, as in the equations.

    Args:
        channels: C.
        reduction: C divided by the channels of f, which are at least 1; the paper takes 32.

    Raises:
        ConfigError: an argument is below 1.
    """

    def __init__(self, channels: int, reduction: int = 32) -> None:
        super().__init__()
        hidden = narrowed("coordinate", channels, reduction)
        self.shared = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.Hardswish()
        )
        self.of_rows = nn.Conv2d(hidden, channels, 1, bias=False)
        self.of_columns = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to the reweighted map, of the same shape and type."""
        rows = x.mean(dim=3, keepdim=True)  # (N, C, H, 1)
        columns = x.mean(dim=2, keepdim=True).transpose(2, 3)  # (N, C, W, 1)
        shared = self.shared(torch.cat((rows, columns), dim=2))  # (N, C/r, H + W, 1)
        rows, columns = shared.split([x.shape[2], x.shape[3]], dim=2)
        row_gate = torch.sigmoid(self.of_rows(rows))  # (N, C, H, 1)
        column_gate = torch.sigmoid(self.of_columns(columns)).transpose(2, 3)  # (N, C, 1, W)
        return scale(scale(x, row_gate), column_gate)
