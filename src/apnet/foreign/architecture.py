"""What is known of a network of another toolkit, and of the files that it is saved in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from apnet.config import NetworkConfig

Rule = tuple[str, str | Callable[[re.Match[str]], str]]
"""A pattern in this package's name of a weight, and what the file has in its place."""


@dataclass(frozen=True)
class Architecture:
    """A network of another toolkit.

    The rules lead from this package's names to the file's, so that a weight that is missing can
    be named as the file would name it. Each rule is applied to the result of those before it.
    """

    config: NetworkConfig
    """Its structure here, with the image size and the feature that it is evaluated with."""

    rules: tuple[Rule, ...]
    """From a name here to a name in the file."""

    unused: str = r"classifier\..*"
    """A pattern of the names in the file that have no place here: classifiers of its people."""

    guessed: bool = True
    """Whether a file of this layout is taken for this network unless another is named."""

    classifier: str | None = None
    """The classifier's name in the file, where its logits are the feature."""

    averaged: str | None = None
    """The name in the file of one embedding per camera, whose mean is taken: cameras elsewhere are
    others."""

    def prepared(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Returns the file's weights with one embedding for all cameras."""
        found = dict(tensors)
        if self.averaged in found and self.averaged is not None:
            found[self.averaged] = found[self.averaged].float().mean(dim=0, keepdim=True)
        return found

    def name_in_file(self, name: str) -> str:
        """Returns what the file calls a weight of the network here."""
        for pattern, replacement in self.rules:
            name = re.sub(pattern, replacement, name)
        return name


def toolkit(name: str, image_size: tuple[int, int]) -> NetworkConfig:
    """Returns the config of a network in ``apnet.model.toolkits.table``."""
    return NetworkConfig(
        backbone=name, arrangement="toolkit", attention="none", parts=(), image_size=image_size
    )


def resnet_rules(prefix: str) -> tuple[Rule, ...]:
    """Returns the rules of a cut ResNet whose file has torchvision's names behind a prefix."""
    return (
        (r"^trunk\.stem\.(body\.)?", prefix),
        (r"^trunk\.(layer\d)\.body\.", rf"{prefix}\1."),
    )
