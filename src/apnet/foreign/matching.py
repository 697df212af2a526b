"""How the weights in a file compare with those that a network of another toolkit has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from apnet.config import NetworkConfig
from apnet.foreign.architecture import Architecture
from apnet.foreign.table import ARCHITECTURES
from apnet.model import build_network

_COUNTER = "num_batches_tracked"
"""Batch norm's step counter, which files of old torch versions do not have."""

Named = tuple[str, str, torch.Size]
"""A weight's name here, its name in the file, and its shape."""


@dataclass(frozen=True)
class Fit:
    """How a file fits an architecture; names are the file's.

    Attributes:
        name: of the architecture.
        total: weights that the network has.
        missing: weights that the file does not have.
        unknown: weights of the file that have no place.
        misshaped: weights of another shape, with both shapes.
        pairs: names here and in the file, of weights that fit.
    """

    name: str
    total: int
    missing: Sequence[str]
    unknown: Sequence[str]
    misshaped: Sequence[str]
    pairs: Mapping[str, str]

    @property
    def exact(self) -> bool:
        """Whether nothing is missing, unknown or of another shape."""
        return not (self.missing or self.unknown or self.misshaped)

    @property
    def faults(self) -> int:
        """Weights of the network and of the file without a match."""
        return len(self.missing) + len(self.unknown) + len(self.misshaped)

    def __str__(self) -> str:
        kinds = (
            (self.missing, "missing"),
            (self.unknown, "unknown"),
            (self.misshaped, "of another shape"),
        )
        return ", ".join(
            f"{len(names):,} {what} (the first: {names[0]})" for names, what in kinds if names
        )


def config_for(architecture: Architecture, tensors: Mapping[str, Tensor]) -> NetworkConfig:
    """Returns the architecture's config, with the file's number of classes where they count."""
    weight = tensors.get(architecture.classifier or "")
    if weight is None:
        return replace(architecture.config, num_classes=1 if architecture.classifier else 0)
    return replace(architecture.config, num_classes=len(weight))


def fit(name: str, tensors: Mapping[str, Tensor]) -> Fit:
    """Compares a file's weights with a network's."""
    architecture = ARCHITECTURES[name]
    tensors = architecture.prepared(tensors)
    named = _named(name, config_for(architecture, tensors).num_classes)
    missing, misshaped, pairs = [], [], {}
    for ours, theirs, shape in named:
        if theirs not in tensors:
            if not theirs.endswith(_COUNTER):
                missing.append(theirs)
        elif _plain(tensors[theirs].shape) != _plain(shape):
            misshaped.append(f"{theirs}: {_text(tensors[theirs].shape)}, not {_text(shape)}")
        else:
            pairs[ours] = theirs
    used = {theirs for _, theirs, _ in named}
    unknown = [
        each for each in tensors if each not in used and not re.fullmatch(architecture.unused, each)
    ]
    return Fit(name, len(named), missing, unknown, misshaped, pairs)


def closest(tensors: Mapping[str, Tensor]) -> list[Fit]:
    """Returns how all architectures fit, those with the fewest faults first."""
    return sorted((fit(name, tensors) for name in ARCHITECTURES), key=lambda each: each.faults)


@cache
def _named(name: str, num_classes: int) -> tuple[Named, ...]:
    """Returns the network's weights; it is built without memory for them."""
    architecture = ARCHITECTURES[name]
    with torch.device("meta"):
        network = build_network(replace(architecture.config, num_classes=num_classes))
    return tuple(
        (ours, architecture.name_in_file(ours), tensor.shape)
        for ours, tensor in network.state_dict().items()
    )


def _plain(shape: Sequence[int]) -> list[int]:
    """Returns a shape without ones: a 1x1 convolution is a linear layer."""
    return [length for length in shape if length != 1]


def _text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one number"
