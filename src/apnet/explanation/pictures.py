"""The pictures that explain images: one sheet per image, one of a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from apnet.data.transforms import normalise
from apnet.explanation.levels import Maps, Score, grad_cams, level_maps, likeness, top_class
from apnet.explanation.match import Match, explain_match
from apnet.explanation.sheets import Block, level_sheet, pair_sheet
from apnet.model import APNet


@dataclass(frozen=True)
class NamedImages:
    """Images of the network's size with the names that stand on their pictures.

    Attributes:
        names: one per image.
        pixels: (N, 3, H, W) uint8, RGB.
    """

    names: Sequence[str]
    pixels: Tensor

    def batch(self, network: APNet) -> Tensor:
        """Returns (N, 3, H, W) float32, normalised, where the network is."""
        device = next(network.parameters()).device
        return torch.stack([normalise(each) for each in self.pixels]).to(device)


def image_picture(network: APNet, images: NamedImages, index: int) -> Image.Image:
    """Draws the strength of the features and Grad-CAM, per stage and level, of one image.

    Grad-CAM explains the greatest logit of the global classifier; without a classifier, the
    similarity to the other image if there are two, else to the image itself.

    Args:
        network: on any device; used in evaluation mode.
        images: all images that are explained together.
        index: which of them.

    Raises:
        ConfigError: the size does not suit the network, or its output is not finite.
    """
    batch = images.batch(network)
    heading, score = _score(network, batch, index, images.names)
    one = batch[index : index + 1]
    blocks = [
        Block("strength of the features (mean magnitude)", _first(level_maps(network, one)), True),
        Block(f"Grad-CAM: {heading}", _first(grad_cams(network, one, score))),
    ]
    stages = [stage.name for stage in network.stages]
    return level_sheet(images.names[index], _array(images.pixels[index]), blocks, stages)


def pair_picture(network: APNet, images: NamedImages) -> tuple[Image.Image, Match]:
    """Draws which positions make two images similar, and returns their similarity.

    Args:
        network: on any device; used in evaluation mode.
        images: exactly two.

    Raises:
        ConfigError: the network's output is not finite.
    """
    batch = images.batch(network)
    match = explain_match(network, batch[0], batch[1])
    names = images.names[0], images.names[1]
    return pair_sheet(names, [_array(each) for each in images.pixels], match), match


@torch.no_grad()
def _score(network: APNet, batch: Tensor, index: int, names: Sequence[str]) -> tuple[str, Score]:
    """Returns what Grad-CAM explains for one image, in words and as a score."""
    logits = network(batch[index : index + 1]).logits
    if logits:
        best = int(logits[0].argmax())
        return f"training identity {best} of {logits[0].shape[1]}, its top class", top_class
    other = 1 - index if len(names) == 2 else index
    features = network.embed(batch[other : other + 1]).clone()
    return f"similarity to {names[other] if other != index else 'itself'}", likeness(features)


def _first(maps: Maps) -> Maps:
    return [[level[0] for level in stage] for stage in maps]


def _array(image: Tensor) -> NDArray[np.uint8]:
    return image.permute(1, 2, 0).numpy()  # (3, H, W) -> (H, W, 3)
