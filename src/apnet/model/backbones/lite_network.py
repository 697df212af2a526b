"""EfficientNet-Lite0 to Lite4 in plain PyTorch, the backbones of ``apnet-c2-lite`` and its like.

Inverted residual blocks of Tan & Le (EfficientNet, ICML 2019), as the Lite variants have them:
ReLU6 instead of Swish, no squeeze-and-excitation, and a stem and a head that do not grow. Names of
weights, their order, the random numbers drawn at the start and every result equal those of timm's
``tf_efficientnet_lite0`` to ``4``, so that checkpoints and weights files of both fit. timm itself
takes longer to import than this network takes to embed an image.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn import functional

LITE_SCALES: dict[str, tuple[float, float]] = {
    "tf_efficientnet_lite0": (1.0, 1.0),
    "tf_efficientnet_lite1": (1.0, 1.1),
    "tf_efficientnet_lite2": (1.1, 1.2),
    "tf_efficientnet_lite3": (1.2, 1.4),
    "tf_efficientnet_lite4": (1.4, 1.8),
}
"""By timm's names: what the widths and the numbers of blocks are multiplied by."""

_STEM, _HEAD = 32, 1280
_EPS = 1e-3
_WIDTH_STEP = 8
_LARGEST_LOSS = 0.9  # a rounded width is at least this share of the exact one


class _StageSize(NamedTuple):
    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


_STAGES = (
    _StageSize(1, 3, 1, 1, 16),
    _StageSize(2, 3, 2, 6, 24),
    _StageSize(2, 5, 2, 6, 40),
    _StageSize(3, 3, 2, 6, 80),
    _StageSize(3, 5, 1, 6, 112),
    _StageSize(4, 5, 2, 6, 192),
    _StageSize(1, 3, 1, 6, 320),
)
"""Lite0; table 1 of the paper. The first and the last stage have one block in every variant."""


class EfficientNetLite(nn.Module):
    """The network without its classifier, with random weights.

    Args:
        width: what the stages' channels are multiplied by.
        depth: what the stages' numbers of blocks are multiplied by.
    """

    def __init__(self, width: float = 1.0, depth: float = 1.0) -> None:
        super().__init__()
        self.conv_stem = _conv(3, _STEM, 3, stride=2)
        self.bn1 = NormRelu6(_STEM, eps=_EPS)
        _draw_what_timm_draws()
        stages: list[nn.Module] = []
        facts: list[dict[str, Any]] = []
        channels, reduction = _STEM, 2
        for place, size in enumerate(_STAGES):
            wanted = _rounded(size.channels * width)
            fixed = place in (0, len(_STAGES) - 1)
            blocks = size.blocks if fixed else math.ceil(size.blocks * depth)
            stages.append(_stage(size, channels, wanted, blocks))
            if size.stride == 2 and place > 0:
                reduction *= 2
            channels = wanted
            facts.append({"module": f"blocks.{place}", "reduction": reduction})
        self.blocks = nn.Sequential(*stages)
        self.conv_head = _conv(channels, _HEAD, 1)
        self.bn2 = NormRelu6(_HEAD, eps=_EPS)
        self.feature_info = _last_of_each_size(facts)
        self.pretrained_cfg = {"classifier": "classifier"}
        _start(self)

    def forward_features(self, images: Tensor) -> Tensor:
        """Maps (N, 3, H, W) to (N, 1280, H / 32, W / 32), rounded up."""
        x = self.blocks(self.bn1(self.conv_stem(images)))
        x = self.conv_head(x)
        features: Tensor = self.bn2(x)
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Returns the map's average over space, (N, 1280)."""
        return self.forward_features(images).mean((2, 3))


class NormRelu6(nn.BatchNorm2d):
    """Batch norm, then ReLU6 in place."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to the same shape, values from 0 to 6."""
        return functional.hardtanh(super().forward(x), 0.0, 6.0, inplace=True)


class SamePaddedConv2d(nn.Conv2d):
    """A convolution with TensorFlow's padding: H / stride rounded up, more below than above."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to (N, C', H / stride, W / stride), rounded up."""
        above, below = _same_padding(x.shape[2], self.kernel_size[0], self.stride[0])
        left, right = _same_padding(x.shape[3], self.kernel_size[1], self.stride[1])
        return super().forward(functional.pad(x, (left, right, above, below)))


class SeparableBlock(nn.Module):
    """Depthwise, then pointwise convolution: a block without expansion.

    Args:
        channels: C of the input.
        wanted: C of the output; where it is the input's, the input is added.
        kernel: of the depthwise convolution, odd.
        stride: 1 or 2, of the depthwise convolution.
    """

    def __init__(self, channels: int, wanted: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.adds = stride == 1 and channels == wanted
        self.conv_dw = _conv(channels, channels, kernel, stride=stride, groups=channels)
        self.bn1 = NormRelu6(channels, eps=_EPS)
        self.conv_pw = _conv(channels, wanted, 1)
        self.bn2 = nn.BatchNorm2d(wanted, eps=_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, channels, H, W) to (N, wanted, H / stride, W / stride), rounded up."""
        y: Tensor = self.bn1(self.conv_dw(x))
        y = self.bn2(self.conv_pw(y))
        return y + x if self.adds else y


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, projection without activation (MBConv).

    Args:
        channels: C of the input.
        wanted: C of the output; where it is the input's, the input is added.
        kernel: of the depthwise convolution, odd.
        stride: 1 or 2, of the depthwise convolution.
        expansion: what C is multiplied by inside.
    """

    def __init__(
        self, channels: int, wanted: int, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        inner = channels * expansion
        self.adds = stride == 1 and channels == wanted
        self.conv_pw = _conv(channels, inner, 1)
        self.bn1 = NormRelu6(inner, eps=_EPS)
        self.conv_dw = _conv(inner, inner, kernel, stride=stride, groups=inner)
        self.bn2 = NormRelu6(inner, eps=_EPS)
        self.conv_pwl = _conv(inner, wanted, 1)
        self.bn3 = nn.BatchNorm2d(wanted, eps=_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, channels, H, W) to (N, wanted, H / stride, W / stride), rounded up."""
        y: Tensor = self.bn1(self.conv_pw(x))
        y = self.bn2(self.conv_dw(y))
        y = self.bn3(self.conv_pwl(y))
        return y + x if self.adds else y


def _conv(
    channels: int, wanted: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    if stride > 1:
        return SamePaddedConv2d(channels, wanted, kernel, stride, groups=groups, bias=False)
    return nn.Conv2d(channels, wanted, kernel, padding=kernel // 2, groups=groups, bias=False)


def _same_padding(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Returns the padding before and behind ``length`` pixels."""
    outputs = -(-length // stride)
    padding = max((outputs - 1) * stride + kernel - length, 0)
    return padding // 2, padding - padding // 2


def _stage(size: _StageSize, channels: int, wanted: int, blocks: int) -> nn.Sequential:
    stage = nn.Sequential()
    for number in range(blocks):
        stride = size.stride if number == 0 else 1
        if size.expansion == 1:
            stage.append(SeparableBlock(channels, wanted, size.kernel, stride))
        else:
            stage.append(InvertedResidual(channels, wanted, size.kernel, stride, size.expansion))
        channels = wanted
    return stage


def _rounded(channels: float) -> int:
    """Returns the nearest multiple of 8 that is not more than a tenth smaller."""
    nearest = max(_WIDTH_STEP, int(channels + _WIDTH_STEP / 2) // _WIDTH_STEP * _WIDTH_STEP)
    return nearest if nearest >= _LARGEST_LOSS * channels else nearest + _WIDTH_STEP


def _last_of_each_size(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the stages after which the map gets smaller, and the last one."""
    return list({fact["reduction"]: fact for fact in facts}.values())


def _draw_what_timm_draws() -> None:
    """Draws the weights of two layers that timm makes and drops, so that seeds mean the same."""
    nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)


def _start(network: nn.Module) -> None:
    """Draws the convolutions' weights from normal distributions of variance 2 / fan-out."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            area = module.kernel_size[0] * module.kernel_size[1]
            fan_out = area * module.out_channels // module.groups
            nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / fan_out))
