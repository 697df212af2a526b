"""Channel attention: squeeze and excitation, one sub-attention per group (section III-B, Eq. 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from apnet.devices import without_autocast
from apnet.errors import ConfigError
from apnet.model.fast.channels_last import pool

if TYPE_CHECKING:
    from apnet.model.gated_map import GatedMap


class ChannelAttention(nn.Module):
    """n squeeze-and-excitation sub-attentions, one for each group of C/n channels (Eq. 2 and 5).

    Each part has its own ``W_2 ReLU(W_1 .)``; all parts run as one grouped operation. There are no
    biases, as in Eq. 5. It is a whole level of a pyramid (n parts), or one sub-attention (n = 1).

    Args:
        channels: C.
        parts: n; must divide C.
        reduction: C/n divided by the hidden width of a part, which is at least 1.

    Raises:
        ConfigError: ``parts`` does not divide ``channels``, or an argument is below 1.
    """

    looks_at_average = True

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

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits, any real number.

        They are computed in the weights' type, under autocast too: bf16 saves nothing on vectors
        this short.

        Args:
            x: average-pooled channels (N, C), or a map (N, C, H, W).

        Returns:
            (N, C) of pooled channels, (N, C, 1, 1) of a map.
        """
        if x.ndim > 2:
            logits: Tensor = self(pool(x))
            return logits.reshape(len(x), -1, *[1] * (x.ndim - 2))
        with without_autocast(x.device):
            hidden = torch.relu(_grouped(x.to(self.squeeze.weight.dtype), self.squeeze))
            return _grouped(hidden, self.excite)

    def attend_to(self, gated: GatedMap) -> Tensor:
        """Returns the logits of a pyramid level, (N, C, 1, 1)."""
        logits: Tensor = self(gated.average())
        return logits.reshape(*logits.shape, *[1] * gated.space)

    def zero_logits(self) -> None:
        """Lets every logit begin at zero."""
        nn.init.zeros_(self.excite.weight)


def _grouped(x: Tensor, conv: nn.Conv1d) -> Tensor:
    """Applies a grouped 1x1 convolution to columns of length 1 as one batched matrix product."""
    parts = conv.groups
    weight = conv.weight.reshape(parts, -1, conv.in_channels // parts)  # (n, out/n, in/n)
    split = x.reshape(x.shape[0], parts, -1).transpose(0, 1)  # (N, in) -> (n, N, in/n)
    merged = split @ weight.transpose(1, 2)  # (n, N, out/n)
    return merged.transpose(0, 1).reshape(x.shape[0], -1)  # (N, out)
