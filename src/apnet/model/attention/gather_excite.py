"""Gather-excite: squeeze and excitation of neighbourhoods in place of the whole map.

Hu et al., "Gather-Excite: Exploiting Feature Context in Convolutional Neural Networks", NeurIPS
2018.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from apnet.model.attention.widths import narrowed


class GatherExcite(nn.Module):
    """A gate per channel and position, constant over cells of e x e positions.

    Cell u gathers the average of the positions within e - 1 of position ``e * u`` (those that lie
    in the map), and two 1x1 convolutions without biases excite it: ``W_2 ReLU(W_1 .)``. A map no
    larger than a cell is gathered as a whole.

    Args:
        channels: C.
        reduction: C divided by the hidden width, which is at least 1.
        extent: e; the paper tries 2, 4 and 8.

    Raises:
        ConfigError: ``channels`` or ``reduction`` is below 1.
    """

    def __init__(self, channels: int, reduction: int = 16, extent: int = 4) -> None:
        super().__init__()
        hidden = narrowed("gather-excite", channels, reduction)
        self.gather = nn.AvgPool2d(
            2 * extent - 1, stride=extent, padding=extent - 1, count_include_pad=False
        )
        self.squeeze = nn.Conv2d(channels, hidden, 1, bias=False)
        self.excite = nn.Conv2d(hidden, channels, 1, bias=False)
        self._extent = extent

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to logits of the same shape, any real number."""
        height, width = x.shape[2:]
        cells = self.gather(x)  # (N, C, ceil(H/e), ceil(W/e))
        logits = self.excite(torch.relu(self.squeeze(cells)))
        over = functional.interpolate(logits, scale_factor=float(self._extent), mode="nearest")
        return over[:, :, :height, :width]  # (N, C, e * ceil(H/e), ...) -> (N, C, H, W)

    def zero_logits(self) -> None:
        """Lets every logit begin at zero."""
        nn.init.zeros_(self.excite.weight)
