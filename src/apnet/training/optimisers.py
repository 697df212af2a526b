"""Optimisers by name, and which weights get which learning rate and weight decay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from apnet.config import OptimiserConfig
from apnet.errors import ConfigError
from apnet.model import APNet
from apnet.naming import look_up

Groups = list[dict[str, Any]]
"""torch's parameter groups: ``params``, ``weight_decay``, and ``lr_scale`` of the learning rate."""

OwnOptimiser = Callable[[Groups], torch.optim.Optimizer]
"""An optimiser of one's own, such as ``lambda groups: torch.optim.RMSprop(groups)``."""

_OF_EVERY_OPTIMISER = (
    "name",
    "learning_rate",
    "weight_decay",
    "decay_norms",
    "backbone_factor",
    "freeze",
    "freeze_epochs",
    "clip_norm",
    "accumulate",
    "ema",
)


@dataclass(frozen=True)
class OptimiserKind:
    """A named optimiser.

    Attributes:
        build: from groups and config to the optimiser.
        settings: the fields of ``OptimiserConfig`` that only some optimisers read.
    """

    build: Callable[[Groups, OptimiserConfig], torch.optim.Optimizer]
    settings: tuple[str, ...] = ()


def _adam(groups: Groups, config: OptimiserConfig) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, lr=config.learning_rate, fused=True)


def _adamw(groups: Groups, config: OptimiserConfig) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def _sgd(groups: Groups, config: OptimiserConfig) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum)


OPTIMISERS: Mapping[str, OptimiserKind] = {
    "adam": OptimiserKind(_adam),
    "adamw": OptimiserKind(_adamw),
    "sgd": OptimiserKind(_sgd, ("momentum",)),
}
"""Adding an optimiser: its function, and a line here."""


def build_optimiser(
    network: APNet,
    objective: nn.Module,
    config: OptimiserConfig,
    own: OwnOptimiser | None = None,
) -> torch.optim.Optimizer:
    """Returns the optimiser of a network's weights and of the losses' own.

    Args:
        network: whose trainable weights are updated.
        objective: whose parameters, such as class weights, are updated without weight decay.
        config: which optimiser, with which settings.
        own: an optimiser of one's own, in place of the named one.

    Raises:
        ConfigError: an unknown name, or the network has no trainable weights.
    """
    groups = weight_groups(network, objective, config)
    if own is not None:
        return own(groups)
    return look_up("optimiser", config.name, OPTIMISERS).build(groups, config)


def settings_of_optimiser(name: str) -> tuple[str, ...]:
    """Returns the fields of ``OptimiserConfig`` that an optimiser reads."""
    return (*_OF_EVERY_OPTIMISER, *look_up("optimiser", name, OPTIMISERS).settings)


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Sets every group's rate: ``rate`` times the group's ``lr_scale``."""
    for group in optimiser.param_groups:
        scale = group.get("lr_scale", 1)
        group["lr"] = rate if scale == 1 else rate * scale


def weight_groups(network: APNet, objective: nn.Module, config: OptimiserConfig) -> Groups:
    """Returns the trainable weights in groups of one learning rate and one weight decay each.

    Raises:
        ConfigError: the network has none.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weight in network.named_parameters():
        if not weight.requires_grad:
            continue
        scale = config.backbone_factor if is_backbone(name) else 1.0
        decayed = config.decay_norms or weight.ndim > 1
        key = (scale, config.weight_decay if decayed else 0.0)
        groups.setdefault(key, []).append(weight)
    if not groups:
        raise ConfigError(
            "the network has no weights to train: requires_grad is False for each; set it to True"
        )
    own = list(objective.parameters())
    if own:
        groups.setdefault((1.0, 0.0), []).extend(own)
    return [
        {"params": weights, "weight_decay": decay, "lr_scale": scale}
        for (scale, decay), weights in groups.items()
    ]


def is_backbone(name: str) -> bool:
    """Whether a weight or module belongs to the backbone: not to a pyramid, nor to a head."""
    path = name.split(".")
    inside = path[0] == "trunk" or path[2:3] == ["body"]
    return inside and "pyramid" not in path
