"""From a checkpoint of another toolkit to one of this package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from apnet.checkpoints import Checkpoint, fingerprint
from apnet.errors import CheckpointError
from apnet.foreign.matching import Fit, closest, config_for, fit
from apnet.foreign.reading import read_foreign
from apnet.foreign.table import ARCHITECTURES
from apnet.model import build_network
from apnet.naming import look_up

_SHOWN = 2


def load_foreign(path: Path, architecture: str | None = None) -> Checkpoint:
    """Loads a checkpoint of another toolkit, which is an ordinary checkpoint from then on.

    Classifiers are left out unless their logits are the feature.

    Args:
        path: the file.
        architecture: a name in ``ARCHITECTURES``; by default the one that the names and shapes of
            the weights say.

    Raises:
        ConfigError: there is no such architecture.
        CheckpointError: the file is missing or damaged, or its weights do not fit; the message
            names the first that does not, and the architectures that come closest.
    """
    tensors = read_foreign(path)
    if architecture is None:
        found = _guessed(path, tensors)
    else:
        look_up("architecture", architecture, ARCHITECTURES)
        found = fit(architecture, tensors)
        if not found.exact:
            raise _misfit(path, found, tensors)
    known = ARCHITECTURES[found.name]
    config, tensors = config_for(known, tensors), known.prepared(tensors)
    network = build_network(config)
    weights = network.state_dict()
    for ours, theirs in found.pairs.items():
        weights[ours] = tensors[theirs].reshape(weights[ours].shape).to(weights[ours].dtype)
    network.load_state_dict(weights)
    network.eval()
    facts = {"architecture": found.name}
    return Checkpoint(network, config, fingerprint(network, config), path, facts)


def _guessed(path: Path, tensors: Mapping[str, Tensor]) -> Fit:
    fits = closest(tensors)
    exact = [each for each in fits if each.exact and ARCHITECTURES[each.name].guessed]
    if len(exact) == 1:
        return exact[0]
    if exact:
        names = ", ".join(each.name for each in exact)
        raise CheckpointError(
            f"{path}: its weights fit several architectures ({names}); name one with "
            "architecture= (--architecture)"
        )
    raise CheckpointError(
        f"{path}: not in the layout of a known architecture; closest: {_listed(fits)}; for a "
        "network of your own give it as network="
    )


def _misfit(path: Path, found: Fit, tensors: Mapping[str, Tensor]) -> CheckpointError:
    others = [each for each in closest(tensors) if each.name != found.name]
    return CheckpointError(
        f"{path}: not in the layout of {found.name}: {found}; closest: {_listed(others)}"
    )


def _listed(fits: list[Fit]) -> str:
    shown = [each for each in fits if each.pairs][:_SHOWN] or fits[:_SHOWN]
    return ", ".join(
        f"{each.name} ({len(each.pairs):,} of {each.total:,} weights fit, {each.faults:,} differ)"
        for each in shown
    )
