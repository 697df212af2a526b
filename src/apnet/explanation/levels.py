"""Maps after every level of every pyramid (compare Fig. 6).

Two kinds: the strength of the features, and Grad-CAM (Selvaraju et al., ICCV 2017): which features
increase a score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from apnet.errors import ConfigError
from apnet.model import APNet
from apnet.model.shapes import evaluating
from apnet.model.stages import recorded_levels

Maps = list[list[NDArray[np.float32]]]
"""Per stage, per level (level 0 is the stage's output before its pyramid), (N, h, w)."""

Score = Callable[[APNet, Tensor], Tensor]
"""Runs a network once on (N, 3, H, W) images; returns (N,), one number per image."""


@dataclass(frozen=True, eq=False)
class RelativeMaps:
    """Maps of one stage of one image.

    Attributes:
        maps: per level, (h, w), in multiples of the map's own mean; all zero where it is.
        passed: per level, the map's mean as a share of the mean of the level before; ``None`` at
            level 0. Of the strength of features this is the mean gate, weighted by strength: 0.5
            where a level is neutral.
    """

    maps: tuple[NDArray[np.floating], ...]
    passed: tuple[float | None, ...]


@torch.inference_mode()
def level_maps(network: APNet, images: Tensor) -> Maps:
    """Returns the strength of the features after every level.

    Args:
        network: in evaluation mode.
        images: (N, 3, H, W) float32, normalised as ``EvaluationTransform`` does.

    Returns:
        The mean over channels of the features' magnitude, 0 or more.
    """
    return [
        [level.float().cpu().numpy() for level in stage] for stage in network.level_maps(images)
    ]


def grad_cams(network: APNet, images: Tensor, score: Score) -> Maps:
    """Returns Grad-CAM after every level i: ``ReLU(sum_k a_k X_ik)``, k over the channels.

    ``a_k`` is the mean over positions of the score's gradient with respect to ``X_ik``, which
    includes the path through the gates of the levels after it.

    Args:
        network: used in evaluation mode; its modes and gradients are left as they were.
        images: as in ``level_maps``.
        score: what is explained: ``top_class``, ``likeness(features)``, or another function.

    Returns:
        Maps, 0 or more, in the unit of the score divided by the number of positions.

    Raises:
        ConfigError: the score does not depend on a stage's map, or is not finite.
    """
    with evaluating(network), torch.enable_grad(), recorded_levels(network.stages) as record:
        values = score(network, images.detach().clone().requires_grad_())
    if not torch.isfinite(values).all():
        raise ConfigError("the network's output is not finite: its weights are damaged")
    levels = [level for stage in record for level in stage]
    gradients = iter(torch.autograd.grad(values.sum(), levels, allow_unused=True))
    return [
        [_cam(stage.name, level, next(gradients)) for level in recorded]
        for stage, recorded in zip(network.stages, record, strict=True)
    ]


def relative(levels: Sequence[NDArray[np.floating]]) -> RelativeMaps:
    """Returns one stage's maps of one image on a scale on which levels can be compared.

    A level multiplies its map by gates of 0 to 1, so the maps of deeper levels are weaker wherever
    they look. Each map is therefore divided by its own mean, which shows where it is strong, and
    what the level passes on is a number of its own.

    Args:
        levels: (h, w) maps of one stage, 0 or more, level 0 first.
    """
    means = [float(level.mean()) for level in levels]
    passed = [None, *(_ratio(after, before) for before, after in pairwise(means))]
    shares = [level / (mean or 1.0) for level, mean in zip(levels, means, strict=True)]
    return RelativeMaps(tuple(shares), tuple(passed))


def _ratio(after: float, before: float) -> float:
    return after / before if before > 0 else 0.0


def top_class(network: APNet, images: Tensor) -> Tensor:
    """Returns each image's greatest logit of the global classifier, a ``Score``.

    Raises:
        ConfigError: the network has no classifier.
    """
    logits = network(images).logits
    if not logits:
        raise ConfigError("this network has no classifier; explain the similarity to an image")
    greatest: Tensor = logits[0].amax(dim=1)
    return greatest


def likeness(features: Tensor) -> Score:
    """Returns the score "dot product of the image's embedding with these features at length 1".

    The cosine is not suitable: it is greatest at the features' own image, where its gradient is
    therefore zero.

    Args:
        features: (N, D) or (1, D), embeddings; they are constants of the score.
    """
    directions = functional.normalize(features.detach())

    def score(network: APNet, images: Tensor) -> Tensor:
        return (network.embed(images) * directions).sum(dim=1)

    return score


def _cam(stage: str, level: Tensor, gradient: Tensor | None) -> NDArray[np.float32]:
    if gradient is None:
        raise ConfigError(
            f"the score does not depend on the map recorded at {stage}, so there is no gradient to "
            "explain; use a network with pyramids"
        )
    weights = gradient.mean(dim=(2, 3), keepdim=True)  # (N, C, 1, 1), "neuron importance"
    cam = functional.relu((weights * level).sum(dim=1))  # (N, C, h, w) -> (N, h, w)
    return cam.detach().float().cpu().numpy()
