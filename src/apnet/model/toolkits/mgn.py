"""MGN as fast-reid arranges it: three branches with whole maps, halves and thirds.

After Wang et al., "Learning Discriminative Features with Multiple Granularities for Person
Re-Identification", ACM MM 2018.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

from torch import Tensor, nn

from apnet.model.network import APNet
from apnet.model.stages import Stage
from apnet.model.toolkits.heads import GeneralizedMean, PooledBranch, ProjectedHead
from apnet.model.toolkits.resnets import ResNetPlan, planned_backbone

WIDTH = 256
_PARTS = (1, 2, 3)
_HEADS = 8


def mgn(plan: ResNetPlan, image_size: tuple[int, int], *, num_classes: int = 0) -> APNet:
    """Builds MGN: eight features of 256 numbers, those of the three whole maps first.

    Args:
        plan: of the ResNet, which is shared up to the third stage's first block.
        image_size: H and W in pixels.
        num_classes: training identities; 0 builds no classifier.
    """
    backbone = planned_backbone(plan, image_size)
    *shared, third, fourth = backbone.body.children()
    assert isinstance(third, Stage)
    assert isinstance(third.body, nn.Sequential)
    first, *rest = third.body
    trunk = nn.Sequential(*shared, first)
    later = nn.Sequential(nn.Sequential(*rest), fourth)
    pool = GranularPool([later, *(copy.deepcopy(later) for _ in _PARTS[1:])])
    heads = [
        ProjectedHead(nn.Linear(backbone.channels, WIDTH, bias=False), WIDTH, num_classes)
        for _ in range(_HEADS)
    ]
    return APNet(trunk, [PooledBranch(pool, heads)])


class GranularPool(nn.Module):
    """Each branch's map pooled as a whole, then the bands of the second and third branch.

    Args:
        branches: the trunk's output to a map each.
    """

    def __init__(self, branches: list[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.means = nn.ModuleList(GeneralizedMean(learned=True) for _ in range(_HEADS))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps (N, C', h', w') to eight (N, C)."""
        maps = [branch(x) for branch in self.branches]
        return [
            mean(region)[0] for mean, region in zip(self.means, [*maps, *_bands(maps)], strict=True)
        ]


def _bands(maps: list[Tensor]) -> Iterator[Tensor]:
    for parts, each in zip(_PARTS[1:], maps[1:], strict=True):
        yield from each.chunk(parts, dim=2)
