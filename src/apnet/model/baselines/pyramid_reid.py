"""Pyramid ReID: one classifier for every group of neighbouring stripes (Table III).

After Zheng et al., "Pyramidal Person Re-IDentification via Multi-Loss Dynamic Training", CVPR 2019.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from apnet.model.baselines.stripes import NoPositions, check_rows
from apnet.model.network import APNet, HeadFeatures, new_classifier

STRIPES = 6
WIDTH = 128
GROUPS = tuple(
    (first, first + count)
    for count in range(STRIPES, 0, -1)
    for first in range(STRIPES - count + 1)
)
"""First stripe and the one after the last, of all groups of neighbours, the whole map first."""


def pyramid_reid(trunk: nn.Module, channels: int, num_classes: int) -> APNet:
    """Puts 21 branches on a plain backbone.

    The triplet loss sees all branches' features as one vector, which is the embedding too; each
    branch has its own classifier.

    Args:
        trunk: images to a map (N, channels, h, w) of at least six rows.
        channels: C of the map.
        num_classes: of each classifier; 0 builds none.
    """
    return APNet(trunk, [GroupedStripes(channels, num_classes)], joined=True)


class GroupedStripes(nn.Module):
    """Average plus maximum over each group of neighbouring stripes: 21 vectors of one map.

    A group's average and maximum over its rows are those of the rows' averages and maxima, so the
    map is read once for all groups. Where the stripes do not divide the rows, a group takes every
    row that it touches.

    Args:
        channels: C of the map.
        num_classes: of each head.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.body = NoPositions()
        self.heads = nn.ModuleList(ReducingHead(channels, num_classes) for _ in GROUPS)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps (N, C, h, w) to 21 of (N, C), in the order of ``GROUPS``.

        Raises:
            ConfigError: the map has fewer than six rows.
        """
        rows = x.shape[2]
        check_rows(rows, STRIPES)
        averages, maxima = x.mean(dim=3), x.amax(dim=3)  # (N, C, h, w) -> (N, C, h)
        spans = [
            slice(first * rows // STRIPES, math.ceil(end * rows / STRIPES)) for first, end in GROUPS
        ]
        return [averages[..., span].mean(dim=2) + maxima[..., span].amax(dim=2) for span in spans]


class ReducingHead(nn.Module):
    """A 1x1 convolution to 128 channels, batch norm, ReLU, and a linear classifier.

    Args:
        channels: C of the pooled vector.
        num_classes: training identities; 0 builds no classifier.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.width = WIDTH
        self.neck = nn.BatchNorm1d(WIDTH)
        self.classifier = new_classifier(WIDTH, num_classes)
        self.reduce = nn.Linear(channels, WIDTH, bias=False)

    def features(self, pooled: Tensor) -> HeadFeatures:
        """Maps (N, C) to (N, 128), not negative: the feature of losses and classifier alike."""
        feature = torch.relu(self.neck(self.reduce(pooled)))
        return HeadFeatures(feature, feature)
