"""Where a network looks: maps after every level of every pyramid (compare Fig. 6)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from apnet.model import APNet


@torch.inference_mode()
def level_maps(network: APNet, images: Tensor) -> list[list[NDArray[np.float32]]]:
    """Returns the strength of the features after every level.

    Args:
        network: in evaluation mode.
        images: (N, 3, H, W) float32, normalised as ``EvaluationTransform`` does.

    Returns:
        Per stage, per level (level 0 is the stage's output before its pyramid), (N, h, w) float32:
        the mean over channels of the feature's magnitude, not negative.
    """
    return [
        [level.float().cpu().numpy() for level in stage] for stage in network.level_maps(images)
    ]
