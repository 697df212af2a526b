"""The training losses of section III-C: label-smoothed cross-entropy and batch-hard triplet.

The semantics are those of the paper's baseline (BoT): the triplet works on unnormalised features
from before the BN neck, and the reported value is the mean over all anchors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, smoothing: float = 0.1) -> Tensor:
    """Cross-entropy against ``(1 - e) * one_hot + e / K`` (Eq. 7, 8).

    Args:
        logits: (N, K).
        labels: (N,) int64 in [0, K).
        smoothing: e, in [0, 1).

    Returns:
        The mean over the batch, a scalar.
    """
    return functional.cross_entropy(logits, labels, label_smoothing=smoothing)


def batch_hard_triplet(
    features: Tensor,
    labels: Tensor,
    margin: float = 0.3,
    candidates: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Hinge on the hardest positive and hardest negative of every anchor (Eq. 6).

    The search for the hardest positive includes the anchor itself, at distance 0. An anchor
    without any negative adds 0. Distances are Euclidean, from coordinate differences.

    Args:
        features: (N, D) anchors, not normalised.
        labels: (N,) identities of the anchors.
        margin: m of Eq. 6.
        candidates: features (M, D) and labels (M,) to search; the anchors themselves by default.

    Returns:
        The mean over anchors, a scalar; easy anchors count as 0.
    """
    others, other_labels = (features, labels) if candidates is None else candidates
    distances = torch.cdist(
        features.float(), others.float(), compute_mode="donot_use_mm_for_euclid_dist"
    )  # (N, M)
    same = labels[:, None] == other_labels[None, :]  # (N, M)
    hardest_positive = distances.masked_fill(~same, -torch.inf).amax(dim=1)
    hardest_negative = distances.masked_fill(same, torch.inf).amin(dim=1)
    return functional.relu(hardest_positive - hardest_negative + margin).mean()


class LossParts(NamedTuple):
    """The total of Eq. 9 and its two terms, scalars."""

    total: Tensor
    classification: Tensor
    triplet: Tensor


def apnet_loss(
    pooled: Sequence[Tensor],
    logits: Sequence[Tensor],
    labels: Tensor,
    *,
    smoothing: float = 0.1,
    margin: float = 0.3,
    weight: float = 1.0,
    candidates: Sequence[tuple[Tensor, Tensor]] | None = None,
) -> LossParts:
    """``L = L_cls + lambda * L_tri`` (Eq. 9), each term the mean over the network's branches.

    Args:
        pooled: per branch, (N, D) features from before the BN neck.
        logits: per branch, (N, K) classifier outputs.
        labels: (N,) identities.
        smoothing: epsilon of Eq. 8.
        margin: m of Eq. 6.
        weight: lambda of Eq. 9.
        candidates: per branch, what the triplet searches (all processes' features).
    """
    searched = candidates if candidates is not None else [None] * len(pooled)
    classification = torch.stack(
        [smoothed_cross_entropy(each.float(), labels, smoothing) for each in logits]
    ).mean()
    triplet = torch.stack(
        [
            batch_hard_triplet(each, labels, margin, among)
            for each, among in zip(pooled, searched, strict=True)
        ]
    ).mean()
    return LossParts(classification + weight * triplet, classification, triplet)
