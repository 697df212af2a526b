"""Depthwise convolutions whose gradients a processor computes faster in float32 than in bf16.

Measured on two processor cores: the backward pass of strided and of 5x5 depthwise convolutions
takes 2 to 14 times as long in bf16, and dominates the training of mobile networks.
"""

from __future__ import annotations

import functools

from torch import Tensor, nn

from apnet.devices import without_autocast


def train_depthwise_in_float32(network: nn.Module) -> None:
    """Lets strided and large depthwise convolutions leave bf16 when training on a processor.

    Names, weights and evaluation stay as they are.

    Args:
        network: any module; changed in place.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and _is_slow(module):
            module.__class__ = _in_float32(type(module))  # type: ignore[arg-type]


def _is_slow(conv: nn.Conv2d) -> bool:
    depthwise = conv.groups == conv.in_channels > 1
    return depthwise and (conv.stride[0] > 1 or conv.kernel_size[0] > 3)


@functools.cache
def _in_float32(kind: type[nn.Conv2d]) -> type[nn.Conv2d]:
    """Returns a convolution's class with autocast left: deep copies keep it, hooks would not."""

    class InFloat32(kind):  # type: ignore[valid-type,misc]
        def forward(self, x: Tensor) -> Tensor:
            if not self.training or x.device.type != "cpu":
                return super().forward(x)  # type: ignore[no-any-return]
            with without_autocast(x.device):
                return super().forward(x.float())  # type: ignore[no-any-return]

    InFloat32.__name__ = kind.__name__
    return InFloat32
