"""Center loss: Wen et al., A Discriminative Feature Learning Approach (ECCV 2016), Eq. 2.

    L = 1/2 * mean_i ||x_i - c_{y_i}||^2

The paper sums over the batch and moves the centres by a rule of its own; here the value is the
mean, and the centres are parameters that the optimiser moves. Person re-identification usually
gives it a small weight, 5e-4 in the strong baseline of Luo et al. (CVPRW 2019).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from apnet.losses.batch import GlobalBatch


def center_loss(features: Tensor, labels: Tensor, centres: Tensor) -> Tensor:
    """Returns half the mean squared Euclidean distance to the centre of the own class.

    Args:
        features: (N, D).
        labels: (N,) int64 in [0, K).
        centres: (K, D).

    Returns:
        The mean over the batch, a scalar.
    """
    return (features - centres[labels]).square().sum(dim=1).mean() / 2


class CenterLoss(nn.Module):
    """``center_loss`` with learnable centres, drawn from the standard normal distribution.

    Args:
        num_classes: K.
        feature_dim: D.
    """

    def __init__(self, num_classes: int, feature_dim: int) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(num_classes, feature_dim))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Returns the mean over the batch; shapes as in ``center_loss``."""
        return center_loss(features, labels, self.centres)


def center(num_classes: int, feature_dim: int) -> nn.Module:
    """Builds the loss on pooled features."""
    return GlobalBatch(CenterLoss(num_classes, feature_dim), "pooled")
