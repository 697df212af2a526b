"""OSNet: residual blocks of four streams with fields of view of 3, 5, 7 and 9.

After Zhou et al., "Omni-Scale Feature Learning for Person Re-Identification", ICCV 2019, and
"Learning Generalisable Omni-Scale Representations for Person Re-Identification", TPAMI 2021 (AIN).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from apnet.model.network import APNet
from apnet.model.stages import Stage
from apnet.model.toolkits.heads import AveragePool, PooledBranch, ProjectedHead

FEATURE = 512
_REDUCTION = 4
_GATE_REDUCTION = 16
_STREAMS = 4

Norm = Literal["batch", "outer", "inner"]
"""A block's instance norm: none; after the shortcut (IBN); on the residual, for its batch norm."""

Variant = Literal["plain", "ibn", "ain"]

_NORMS: dict[Variant, tuple[tuple[Norm, Norm], ...]] = {
    "plain": (("batch", "batch"),) * 3,
    "ibn": (("outer", "outer"), ("batch", "batch"), ("batch", "batch")),
    "ain": (("inner", "inner"), ("batch", "inner"), ("inner", "batch")),
}
"""By variant, of the two blocks of conv2, conv3 and conv4."""

_STRIDES = (8, 16, 16)


def osnet(
    widths: tuple[int, int, int, int],
    variant: Variant = "plain",
    *,
    num_classes: int = 0,
) -> APNet:
    """Builds an OSNet; its embedding is a projection to 512 numbers, not negative.

    Args:
        widths: channels of stem, conv2, conv3 and conv4.
        variant: where instance norms are.
        num_classes: training identities; 0 builds no classifier.
    """
    stem = ConvNorm(3, widths[0], 7, stride=2, instance=variant != "plain")
    pool = nn.MaxPool2d(3, stride=2, padding=1)
    trunk = OrderedDict[str, nn.Module](stem=nn.Sequential(OrderedDict(conv=stem, pool=pool)))
    for place, norms in enumerate(_NORMS[variant]):
        name, channels = f"conv{place + 2}", widths[place + 1]
        body = nn.Sequential(
            OmniScaleBlock(widths[place], channels, norms[0]),
            OmniScaleBlock(channels, channels, norms[1]),
        )
        if place < 2:
            body.add_module("transition", ConvNorm(channels, channels, 1))
            body.add_module("pool", nn.AvgPool2d(2))
        trunk[name] = Stage(name, body, channels, _STRIDES[place])
    trunk["conv5"] = Stage("conv5", ConvNorm(widths[3], widths[3], 1), widths[3], _STRIDES[-1])
    project = nn.Sequential(nn.Linear(widths[3], FEATURE), nn.BatchNorm1d(FEATURE), nn.ReLU())
    head = ProjectedHead(project, FEATURE, num_classes, neck=False)
    return APNet(nn.Sequential(trunk), [PooledBranch(AveragePool(), [head])])


class ConvNorm(nn.Module):
    """A convolution without bias, a norm and perhaps a ReLU; maps keep their size at stride 1.

    Args:
        channels: C of the input.
        wanted: C of the output.
        kernel: odd.
        stride: of the convolution.
        instance: whether the norm is an instance norm.
        norm: whether there is one.
        relu: whether there is a ReLU.
    """

    def __init__(
        self,
        channels: int,
        wanted: int,
        kernel: int,
        *,
        stride: int = 1,
        instance: bool = False,
        norm: bool = True,
        relu: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, wanted, kernel, stride, kernel // 2, bias=False)
        kind = nn.InstanceNorm2d(wanted, affine=True) if instance else nn.BatchNorm2d(wanted)
        self.norm: nn.Module = kind if norm else nn.Identity()
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, channels, H, W) to (N, wanted, H / stride, W / stride)."""
        x = self.norm(self.conv(x))
        return functional.relu(x) if self.relu else x


class LightConv(nn.Module):
    """A 3x3 convolution as a pointwise and a depthwise one, with batch norm and ReLU.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to the same shape."""
        return functional.relu(self.norm(self.depthwise(self.pointwise(x))))


class ChannelGate(nn.Module):
    """Squeeze and excitation, which all streams of a block share.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // _GATE_REDUCTION, 1)
        self.fc2 = nn.Conv2d(channels // _GATE_REDUCTION, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to the same shape."""
        hidden = functional.relu(self.fc1(x.mean(dim=(2, 3), keepdim=True)))
        gate: Tensor = self.fc2(hidden).sigmoid()
        return x * gate


class OmniScaleBlock(nn.Module):
    """Streams of 1 to 4 light convolutions, gated and summed, between 1x1 convolutions.

    Args:
        channels: C of the input.
        wanted: C of the output.
        norm: see ``Norm``.
    """

    def __init__(self, channels: int, wanted: int, norm: Norm) -> None:
        super().__init__()
        inner = wanted // _REDUCTION
        self.squeeze = ConvNorm(channels, inner, 1)
        self.streams = nn.ModuleList(
            nn.Sequential(*(LightConv(inner) for _ in range(depth + 1)))
            for depth in range(_STREAMS)
        )
        self.gate = ChannelGate(inner)
        self.expand = ConvNorm(inner, wanted, 1, norm=norm != "inner", relu=False)
        self.shortcut = (
            nn.Identity() if channels == wanted else ConvNorm(channels, wanted, 1, relu=False)
        )
        self.norm = norm
        self.instance = nn.Identity() if norm == "batch" else nn.InstanceNorm2d(wanted, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, channels, H, W) to (N, wanted, H, W)."""
        squeezed = self.squeeze(x)
        gated = [self.gate(stream(squeezed)) for stream in self.streams]
        residual = self.expand(gated[0] + gated[1] + gated[2] + gated[3])
        if self.norm == "inner":
            return functional.relu(self.instance(residual) + self.shortcut(x))
        return functional.relu(self.instance(residual + self.shortcut(x)))
