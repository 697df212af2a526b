"""The cosine similarity of two images as a sum over positions.

The embedding is an affine map (BN neck, with ``logits`` also the classifier) of averages over
positions, and an affine map of an average is the average of the affine map's values. So with f_p
the embedding that position p alone would have, e_a = mean_p f_p and::

    cos(e_a, e_b) = sum_p <f_p, e_b> / (P |e_a| |e_b|)

This is exact up to the rounding of float32; nothing is linearised, omitted or learned. Two limits:
the receptive field of f_p is wider than the position p, and the constant of the BN neck (minus its
running mean) is an equal part of every position.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from apnet.display import summarised
from apnet.errors import ConfigError
from apnet.model import APNet
from apnet.model.network import Branch, Head
from apnet.model.shapes import evaluating


@summarised
@dataclass(frozen=True, repr=False)
class Match:
    """The similarity of two images and its parts.

    Attributes:
        similarity: cosine of the embeddings, -1 to 1, without the mirror images that evaluation
            adds: with them, it would not be a sum over the positions of one image.
        first: (h, w) signed contributions of the first image's positions; they sum to the
            similarity.
        second: (h, w) contributions of the second image's positions, with the same sum.
    """

    similarity: float
    first: NDArray[np.float32]
    second: NDArray[np.float32]


@torch.inference_mode()
def explain_match(network: APNet, first: Tensor, second: Tensor) -> Match:
    """Returns the similarity of two images as sums over their positions.

    Args:
        network: used in evaluation mode; the last maps of its branches have the same size.
        first: (3, H, W) float32, normalised as ``EvaluationTransform`` does.
        second: of the same size.

    Raises:
        ConfigError: the embedding is not finite.
    """
    with evaluating(network):
        embedded = network.embed(torch.stack((first, second))).float()
        if not torch.isfinite(embedded).all():
            raise ConfigError("the network's output is not finite: its weights are damaged")
        a, b = functional.normalize(embedded)
        lengths = embedded.norm(dim=1).clamp_min(1e-12)
        return Match(
            float(a @ b),
            _contributions(network, first, b / lengths[0]),
            _contributions(network, second, a / lengths[1]),
        )


def _contributions(network: APNet, image: Tensor, direction: Tensor) -> NDArray[np.float32]:
    """Returns (h, w) that sum to the dot product of the image's embedding with ``direction``."""
    shared: Tensor = network.trunk(image[None])
    branches: list[Branch] = list(network.branches)  # type: ignore[arg-type]
    maps = [branch.body(shared)[0] for branch in branches]
    total = torch.zeros(maps[0].shape[1:], device=image.device)
    start = 0
    for branch, x in zip(branches, maps, strict=True):
        for head, (top, bottom) in zip(branch.heads, _bands(branch, x.shape[1]), strict=True):
            band = x[:, top:bottom]
            local = _local(network, head, band.flatten(1).T)  # type: ignore[arg-type]  # (C, r, w) -> (r*w, D)
            shares = local @ direction[start : start + local.shape[1]] / len(local)
            total[top:bottom] += shares.reshape(band.shape[1:])  # (r*w,) -> (r, w)
            start += local.shape[1]
    return total.float().cpu().numpy()


def _bands(branch: Branch, rows: int) -> list[tuple[int, int]]:
    """Returns the first row of each part and the row after its last, as in adaptive pooling."""
    parts = branch.parts
    return [(part * rows // parts, -(-(part + 1) * rows // parts)) for part in range(parts)]


def _local(network: APNet, head: Head, x: Tensor) -> Tensor:
    """Returns (P, D): the embedding that each position of x, (P, C), would have alone."""
    if network.feature == "pooled":
        return x.float()
    after: Tensor = head.features(x).neck
    if network.feature == "logits":
        assert head.classifier is not None
        after = head.classifier(after)
    return after.float()
