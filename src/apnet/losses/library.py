"""Losses from pytorch-metric-learning, with the means that their papers define.

The library skips images whose loss is 0 in some of its means; here they count, unless a docstring
says otherwise, so that the value is the mean over all images of the global batch. All losses
compare directions of features: cosine similarities s. The published values of the options are the
defaults in ``apnet.losses.table``.

The weights per class of ``arcface``, ``cosface`` and ``proxy-anchor`` are parameters of the loss,
drawn from torch's global generator.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from apnet.extras import require
from apnet.losses.batch import GlobalBatch


def circle(num_classes: int, feature_dim: int, *, margin: float, scale: float) -> nn.Module:
    """Builds the circle loss: Sun et al. (CVPR 2020), Eq. 6.

    The mean over images as anchors; an anchor without a positive or without a negative counts as 0.
    The weights of the pairs are constants in the backward pass, as in the paper. Defaults: those
    for person re-identification, m = 0.25 and gamma = 128 (section 4.1).
    """
    return GlobalBatch(_losses().CircleLoss(m=margin, gamma=scale, reducer=_mean()), "pooled")


def supcon(num_classes: int, feature_dim: int, *, temperature: float) -> nn.Module:
    """Builds the supervised contrastive loss: Khosla et al. (NeurIPS 2020), L_out of Eq. 2.

    The mean over images as anchors (the paper writes the sum and its code the mean); an anchor
    without a positive counts as 0. Default: tau = 0.1 (section 4).
    """
    return GlobalBatch(_losses().SupConLoss(temperature=temperature, reducer=_mean()), "pooled")


def ms(
    num_classes: int, feature_dim: int, *, alpha: float, beta: float, base: float, epsilon: float
) -> nn.Module:
    """Builds the multi-similarity loss with its mining: Wang et al. (CVPR 2019), Eq. 11-13.

    The mean over images as anchors; an anchor without mined pairs counts as 0. Defaults: the
    paper's alpha = 2, beta = 50, epsilon = 0.1; ``base`` (lambda, 1 in the paper) is 0.5, the
    library's. An ``epsilon`` of 2 keeps all pairs.
    """
    miners = require("pytorch_metric_learning.miners", "losses")
    loss = _losses().MultiSimilarityLoss(alpha, beta, base, reducer=_mean())
    return GlobalBatch(_Mined(miners.MultiSimilarityMiner(epsilon), loss), "pooled")


def arcface(num_classes: int, feature_dim: int, *, margin: float, scale: float) -> nn.Module:
    """Builds ArcFace: Deng et al. (CVPR 2019), Eq. 3, a softmax with an additive angular margin.

    The mean over images. Defaults: a margin of 0.5 radians and a scale of 64. Beyond an angle of
    pi - margin the target's logit goes on falling, by the linear extension of the authors' code.
    """
    loss = _losses().ArcFaceLoss(
        num_classes, feature_dim, margin=math.degrees(margin), scale=scale, reducer=_mean()
    )
    return GlobalBatch(loss, "neck")


def cosface(num_classes: int, feature_dim: int, *, margin: float, scale: float) -> nn.Module:
    """Builds CosFace: Wang et al. (CVPR 2018), Eq. 4, a softmax with an additive cosine margin.

    The mean over images. Defaults: a margin of 0.35 and a scale of 64 (section 4).
    """
    loss = _losses().CosFaceLoss(
        num_classes, feature_dim, margin=margin, scale=scale, reducer=_mean()
    )
    return GlobalBatch(loss, "neck")


def proxy_anchor(num_classes: int, feature_dim: int, *, margin: float, scale: float) -> nn.Module:
    """Builds the proxy anchor loss: Kim et al. (CVPR 2020), Eq. 4.

    Not a mean over images: the mean over the classes in the batch of the term that pulls, plus the
    mean over all classes of the term that pushes. Defaults: delta = 0.1, alpha = 32 (section 4.1).
    The authors train the proxies with 100 times the network's learning rate.
    """
    loss = _losses().ProxyAnchorLoss(num_classes, feature_dim, margin=margin, alpha=scale)
    return GlobalBatch(loss, "neck")


class _Mined(nn.Module):
    """A loss over the pairs that a miner chooses."""

    def __init__(self, miner: nn.Module, loss: nn.Module) -> None:
        super().__init__()
        self.miner = miner
        self.loss = loss

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        # The library takes lists of at most one pair for no pairs. A pair that is listed twice
        # counts once, so that every list is given twice.
        pairs = tuple(torch.cat([each, each]) for each in self.miner(features, labels))
        loss: Tensor = self.loss(features, labels, pairs)
        return loss


def _losses() -> Any:
    return require("pytorch_metric_learning.losses", "losses")


def _mean() -> Any:
    return require("pytorch_metric_learning.reducers", "losses").MeanReducer()
