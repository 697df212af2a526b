"""Modules whose weights and batch-norm statistics stay as they are for a number of epochs."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from torch import nn

from apnet.config import OptimiserConfig
from apnet.errors import ConfigError
from apnet.training.optimisers import is_backbone

_BACKBONE = "backbone"


class Freezing:
    """Freezes modules of a network and lets them go again.

    Args:
        network: whose modules are named.
        names: dotted ends of module names, such as ``layer1``, or ``backbone``: everything but
            pyramids and heads.

    Raises:
        ConfigError: a name that fits no module, or all trainable weights would be frozen.
    """

    def __init__(self, network: nn.Module, names: Sequence[str]) -> None:
        modules = dict(network.named_modules())
        places = [name for name in modules if name and _is_named(name, names)]
        for name in names:
            if not any(_is_named(place, [name]) for place in modules if place):
                raise ConfigError(_unknown(name, list(modules)))
        self._modules = [modules[place] for place in places]
        self._weights = [
            weight
            for module in self._modules
            for weight in module.parameters(recurse=False)
            if weight.requires_grad
        ]
        frozen = {id(weight) for weight in self._weights}
        trainable = [weight for weight in network.parameters() if weight.requires_grad]
        if names and all(id(weight) in frozen for weight in trainable):
            raise ConfigError(f"optimiser.freeze = {list(names)} leaves nothing to train")

    def apply(self, active: bool) -> None:
        """Freezes, or lets go; called when an epoch begins, after the network's ``train()``."""
        for weight in self._weights:
            weight.requires_grad_(not active)
        if active:
            for module in self._modules:
                module.training = False


def is_frozen(config: OptimiserConfig, epoch: int) -> bool:
    """Whether modules are frozen in an epoch, counted from 0."""
    return bool(config.freeze) and (config.freeze_epochs == 0 or epoch < config.freeze_epochs)


def _is_named(place: str, names: Sequence[str]) -> bool:
    """Whether a module is one of the named, or inside one of them."""
    path = place.split(".")
    for name in names:
        if name == _BACKBONE:
            if is_backbone(place):
                return True
            continue
        wanted = name.split(".")
        spans = range(len(path) - len(wanted) + 1)
        if any(path[start : start + len(wanted)] == wanted for start in spans):
            return True
    return False


def _unknown(name: str, places: Sequence[str]) -> str:
    parts = sorted({part for place in places for part in place.split(".") if not part.isdigit()})
    close = difflib.get_close_matches(name, [*parts, _BACKBONE], n=2)
    hint = f"did you mean {' or '.join(close)}?" if close else f"'{_BACKBONE}', or a module's name"
    return f"optimiser.freeze: the network has no module '{name}'; {hint}"
