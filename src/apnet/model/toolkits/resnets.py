"""ResNets as torchreid, fast-reid and layumi's baseline arrange them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn

from apnet.model.backbones.create import Backbone, create_backbone
from apnet.model.network import APNet, Branch, Head
from apnet.model.toolkits.heads import AveragePool, GeneralizedMean, PooledBranch, ProjectedHead
from apnet.model.toolkits.layers import InstanceBatchNorm, RelatedBlocks

PROJECTION = 512

_RELATIONS = {"resnet50": (0, 2, 3, 0), "resnet101": (0, 2, 9, 0)}
"""Non-local blocks of fast-reid, per stage; each follows one of the stage's last blocks."""


@dataclass(frozen=True)
class ResNetPlan:
    """How a ResNet and its head are built."""

    backbone: str = "resnet50"
    """timm's name."""

    last_stride: Literal[1, 2] = 1
    """Stride of the last stage."""

    ceiling: bool = False
    """Whether the stem's max pooling rounds up in place of padding (fast-reid)."""

    ibn: bool = False
    """Whether the first three stages' blocks begin with IBN-Net's norm."""

    relations: bool = False
    """Whether the second and third stage have non-local blocks (fast-reid)."""

    pool: Literal["average", "generalized", "learned"] = "average"
    """Pooling: the mean, or the generalised mean with p = 3 or a learned p."""

    head: Literal["neck", "none", "linear-norm", "linear-norm-relu"] = "neck"
    """What follows: a BN neck; nothing; or a projection to 512 numbers."""


def planned_resnet(plan: ResNetPlan, image_size: tuple[int, int], *, num_classes: int = 0) -> APNet:
    """Builds a ResNet of another toolkit.

    Args:
        plan: how.
        image_size: H and W in pixels.
        num_classes: training identities; 0 builds no classifier.
    """
    backbone = planned_backbone(plan, image_size)
    if plan.pool == "average" and plan.head == "neck":
        branch: nn.Module = Branch(nn.Identity(), backbone.channels, 1, num_classes)
    else:
        learned = plan.pool == "learned"
        pool = AveragePool() if plan.pool == "average" else GeneralizedMean(learned=learned)
        branch = PooledBranch(pool, [_head(plan, backbone.channels, num_classes)])
    return APNet(backbone.body, [branch])


def planned_backbone(plan: ResNetPlan, image_size: tuple[int, int]) -> Backbone:
    """Returns the ResNet alone, cut into stem and stages."""
    backbone = create_backbone(plan.backbone, image_size=image_size, last_stride=plan.last_stride)
    stages = backbone.stages
    if plan.ceiling:
        backbone.body.set_submodule(
            "stem.maxpool", nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)
        )
    if plan.ibn:
        for stage in stages[:-1]:
            for block in stage.body.children():
                block.bn1 = InstanceBatchNorm(block.bn1.num_features)  # type: ignore[union-attr,arg-type]
    if plan.relations:
        for stage, count in zip(stages, _RELATIONS[plan.backbone], strict=True):
            if count:
                assert isinstance(stage.body, nn.Sequential)
                stage.body = RelatedBlocks(stage.body, count, stage.channels)
    return backbone


def _head(plan: ResNetPlan, channels: int, num_classes: int) -> nn.Module:
    if plan.head == "neck":
        return Head(channels, num_classes)
    if plan.head == "none":
        return ProjectedHead(nn.Identity(), channels, num_classes, neck=False)
    project = nn.Sequential(nn.Linear(channels, PROJECTION), nn.BatchNorm1d(PROJECTION))
    if plan.head == "linear-norm-relu":
        project.append(nn.ReLU())
    return ProjectedHead(project, PROJECTION, num_classes, neck=False)
