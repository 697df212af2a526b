"""The non-local block: every position adds a weighted mean of all positions.

Wang et al., "Non-local Neural Networks", CVPR 2018 (Eq. 1, 4 and 6).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from apnet.model.attention.widths import narrowed


class NonLocal(nn.Module):
    """The embedded Gaussian: ``x + norm(W_z softmax(theta^T phi) g)`` over the H*W positions.

    theta, phi and g are 1x1 convolutions to half the channels, without biases as in the equations.
    The scale of the batch norm begins at zero, so the block begins as the identity.

    Args:
        channels: C.

    Raises:
        ConfigError: there is no channel.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = narrowed("non-local", channels, 2)
        self.embed = nn.Conv2d(channels, 3 * inner, 1, bias=False)  # theta, phi, g
        self.output = nn.Conv2d(inner, channels, 1, bias=False)  # W_z
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to the map with its context added, of the same shape and type."""
        embedded = self.embed(x).flatten(2).transpose(1, 2)  # (N, 3C', H, W) -> (N, H*W, 3C')
        theta, phi, g = embedded.unsqueeze(1).chunk(3, dim=3)  # 3 x (N, 1, H*W, C')
        context = functional.scaled_dot_product_attention(theta, phi, g, scale=1.0)
        context = context.squeeze(1).transpose(1, 2)  # (N, 1, H*W, C') -> (N, C', H*W)
        context = context.reshape(*context.shape[:2], *x.shape[2:])
        added: Tensor = self.norm(self.output(context))
        return x + added.to(x.dtype)
