"""The paper's backbone families cut into a stem and four stages, the last one's stride set to 1.

Cut stages run one after another, so the multi-part branch can start at the third. The stride is
really set: nothing is dilated instead (section IV-B, Table V).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from apnet.errors import ConfigError
from apnet.model.stages import Stage

_RESNET = ("layer1", "layer2", "layer3", "layer4")
_INCEPTION = {
    "stem": ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"),
    "stage1": ("Pool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3"),
    "stage2": ("Pool2", "Mixed_5b", "Mixed_5c", "Mixed_5d"),
    "stage3": ("Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
    "stage4": ("Mixed_7a", "Mixed_7b", "Mixed_7c"),
}
_DENSENET = {
    "stem": ("conv0", "norm0", "pool0"),
    "denseblock1": ("denseblock1",),
    "denseblock2": ("transition1", "denseblock2"),
    "denseblock3": ("transition2", "denseblock3"),
    "denseblock4": ("transition3", "denseblock4", "norm5"),
}


def cut(model: nn.Module, last_stride: int) -> nn.Sequential | None:
    """Cuts a ResNet, DenseNet or Inception-V3 of timm into a named stem and four named stages.

    Args:
        model: changed in place where its last stride is.
        last_stride: 1 or 2, of the last stage.

    Returns:
        A sequence of the stem and four ``Stage``; ``None`` for a model of another family.

    Raises:
        ConfigError: a ResNet variant whose last stride cannot be set to 1.
    """
    from timm.models.densenet import DenseNet
    from timm.models.inception_v3 import InceptionV3
    from timm.models.resnet import ResNet

    if isinstance(model, ResNet):
        if last_stride == 1:
            _unstride_resnet(model.get_submodule("layer4.0"))
        stem = _group(model, ("conv1", "bn1", "act1", "maxpool"))
        return _sequence(
            model, stem, {name: model.get_submodule(name) for name in _RESNET}, last_stride
        )
    if isinstance(model, DenseNet):
        if last_stride == 1:
            model.set_submodule("features.transition3.pool", nn.Identity())
        return _grouped(model, model.features, _DENSENET, last_stride)
    if isinstance(model, InceptionV3):
        if last_stride == 1:
            model.set_submodule("Mixed_7a", StrideOneReduction(model.Mixed_7a))
        return _grouped(model, model, _INCEPTION, last_stride)
    return None


class StrideOneReduction(nn.Module):
    """Inception-V3's last reduction block (InceptionD) with stride 1 in its three branches.

    Args:
        block: timm's block; its strided convolutions are changed in place.
    """

    def __init__(self, block: Any) -> None:
        super().__init__()
        for conv in (block.branch3x3_2.conv, block.branch7x7x3_4.conv):
            conv.stride = (1, 1)
        self.narrow = nn.Sequential(block.branch3x3_1, block.branch3x3_2)
        self.wide = nn.Sequential(
            block.branch7x7x3_1, block.branch7x7x3_2, block.branch7x7x3_3, block.branch7x7x3_4
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, 768, H, W) to (N, 1280, H - 2, W - 2)."""
        pooled = functional.max_pool2d(x, kernel_size=3, stride=1)
        return torch.cat((self.narrow(x), self.wide(x), pooled), dim=1)


def released_stem(body: nn.Module, stride: int) -> Stage:
    """Makes a cut ResNet's stem a stage without ReLU after its batch norm, as released.

    Args:
        body: changed in place.
        stride: image pixels per map pixel after the stem's max pooling.

    Raises:
        ConfigError: the backbone is no ResNet of timm.
    """
    stem = body.stem if isinstance(body, nn.Sequential) else None
    if not isinstance(stem, nn.Sequential) or not hasattr(stem, "act1"):
        raise ConfigError(
            'arrangement = "released" exists for timm\'s ResNets only; choose one as backbone, '
            'or arrangement = "paper"'
        )
    del stem.act1
    stage = Stage("stem", stem, _width(stem), stride)
    body.set_submodule("stem", stage)
    return stage


def _width(stem: nn.Sequential) -> int:
    norm = stem.get_submodule("bn1")
    assert isinstance(norm, nn.BatchNorm2d)
    return norm.num_features


def _unstride_resnet(block: nn.Module) -> None:
    """Sets every stride of a residual stage's first block to 1, its shortcut's too."""
    for name, module in list(block.named_modules())[1:]:
        if isinstance(module, nn.Conv2d):
            module.stride = (1, 1)
        elif isinstance(module, nn.AvgPool2d):  # the pooling shortcut of ResNet-D
            block.set_submodule(name, nn.Identity())
        elif _is_leaf(module) and _strides(module) != {1}:
            raise ConfigError(
                f"the last stage of this ResNet halves its map in a {type(module).__name__}, whose "
                "stride cannot be set to 1; use last_stride = 2 or another backbone"
            )


def _strides(module: nn.Module) -> set[int]:
    stride = getattr(module, "stride", 1)
    return set(stride) if isinstance(stride, tuple) else {stride}


def _is_leaf(module: nn.Module) -> bool:
    return not any(True for _ in module.children())


def _grouped(
    model: nn.Module, parent: nn.Module, groups: Mapping[str, tuple[str, ...]], last_stride: int
) -> nn.Sequential:
    stages: dict[str, nn.Module] = {name: _group(parent, names) for name, names in groups.items()}
    return _sequence(model, stages.pop("stem"), stages, last_stride)


def _group(parent: nn.Module, names: Sequence[str]) -> nn.Sequential:
    return nn.Sequential(OrderedDict((name, parent.get_submodule(name)) for name in names))


def _sequence(
    model: Any, stem: nn.Module, bodies: Mapping[str, nn.Module], last_stride: int
) -> nn.Sequential:
    facts = model.feature_info[-len(bodies) :]
    strides = [fact["reduction"] for fact in facts]
    if last_stride == 1:
        strides[-1] //= 2
    children = OrderedDict([("stem", stem)])
    for (name, body), fact, stride in zip(bodies.items(), facts, strides, strict=True):
        children[name] = Stage(name, body, fact["num_chs"], stride)
    return nn.Sequential(children)
