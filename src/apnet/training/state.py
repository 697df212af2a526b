"""The whole state of a training run in one safetensors file, for exact resume.

The randomness of a run is a pure function of (seed, epoch, position), so no generator's state is
kept: the weights, those of the losses, the optimiser's moments, the moving average, and the next
epoch and step are the whole state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch
from annotated_types import Ge
from torch import Tensor, nn

from apnet.checkpoints import load_weights, read_tensors, write_tensors
from apnet.errors import CheckpointError, DataError
from apnet.files import checked

_KIND = "training state"
_RENAMED = {"classification": "cross-entropy"}
"""Names of losses in version 0.1."""


@dataclass
class RunProgress:
    """How far a run is.

    Attributes:
        epoch: the epoch under way, from 0.
        step: its next step, from 0.
        updates: updates of the weights so far.
        sums: running sums of the epoch's losses by name, for its mean so far.
        history: one entry per finished epoch.
        best_mAP: the highest mAP of an evaluation so far, or -1.
    """

    epoch: Annotated[int, Ge(0)] = 0
    step: Annotated[int, Ge(0)] = 0
    updates: Annotated[int, Ge(0)] = 0
    sums: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, int | float]] = field(default_factory=list)
    best_mAP: float = -1.0  # noqa: N815 - the field's own name


def save_state(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimiser: torch.optim.Optimizer,
    progress: RunProgress,
) -> None:
    """Writes weights, moments and progress atomically.

    Args:
        path: where to.
        modules: what is trained, by name: ``network``, ``objective``, ``average``.
        optimiser: its moments are kept.
        progress: how far the run is.

    Raises:
        DataError: the file cannot be written; the previous state is untouched.
    """
    tensors = {
        f"{name}.{key}": value
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }
    for index, moments in optimiser.state_dict()["state"].items():
        for name, value in moments.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{name}"] = value
    write_tensors(path, tensors, {"kind": _KIND, "progress": vars(progress)})


def load_state(
    path: Path, modules: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer
) -> RunProgress:
    """Reads a state into modules and an optimiser of the same structure.

    Raises:
        CheckpointError: the file is missing, damaged, or belongs to another network.
    """
    tensors, header = read_tensors(path)
    if header.get("kind") != _KIND:
        raise CheckpointError(f"{path}: holds no training state; resume from a run folder")
    for name, module in modules.items():
        load_weights(module, dict(_under(name, tensors)), f"{path}: belongs to another {name}")
    _load_moments(path, tensors, optimiser)
    try:
        progress = checked(header.get("progress"), RunProgress, str(path), "start the run anew")
    except DataError as error:
        raise CheckpointError(str(error)) from None
    for old, present in _RENAMED.items():
        if old in progress.sums:
            progress.sums[present] = progress.sums.pop(old)
    return progress


def _load_moments(
    path: Path, tensors: Mapping[str, Tensor], optimiser: torch.optim.Optimizer
) -> None:
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for place, value in _under("optimizer", tensors):
        index, _, key = place.partition(".")
        if not (index.isdecimal() and key and int(index) < len(weights)):
            raise CheckpointError(f"{path}: belongs to another optimiser; start the run anew")
        moments.setdefault(int(index), {})[key] = _laid_out(value, weights[int(index)])
    groups: Any = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": moments, "param_groups": groups})


def _under(name: str, tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yields the tensors whose names begin with ``name.``, without that."""
    for key, value in tensors.items():
        if key.startswith(f"{name}."):
            yield key.removeprefix(f"{name}."), value


def _laid_out(value: Tensor, weight: Tensor) -> Tensor:
    """Gives a moment its weight's memory layout: fused Adam walks both in memory order."""
    return torch.empty_like(weight).copy_(value) if value.shape == weight.shape else value
