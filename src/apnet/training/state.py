"""Everything that training needs to go on as if it had never stopped, in one safetensors file.

The randomness of a run is a pure function of (seed, epoch, position), so that no generator's state
has to be kept: the next epoch and step, the weights and Adam's moments are the whole state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from apnet.checkpoints import read_tensors, write_tensors
from apnet.errors import CheckpointError

_KIND = "training state"


@dataclass
class RunProgress:
    """How far a run is.

    Attributes:
        epoch: the epoch under way, from 0.
        step: its next step, from 0.
        sums: running sums of the epoch's losses by name, for its mean so far.
        history: one entry per finished epoch.
        best_mAP: the highest mAP of an evaluation so far, or -1.
    """

    epoch: int = 0
    step: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    best_mAP: float = -1.0  # noqa: N815 - the field's own name


def save_state(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, progress: RunProgress
) -> None:
    """Writes weights, moments and progress atomically.

    Raises:
        DataError: the file cannot be written; the previous state is untouched.
    """
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        for name, value in moments.items():
            tensors[f"optimizer.{index}.{name}"] = value
    write_tensors(path, tensors, {"kind": _KIND, "progress": vars(progress)})


def load_state(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer) -> RunProgress:
    """Reads a state into a network and an optimiser of the same structure.

    Raises:
        CheckpointError: the file is missing, damaged, or belongs to another network.
    """
    tensors, header = read_tensors(path)
    if header.get("kind") != _KIND:
        raise CheckpointError(f"{path}: holds no training state; resume from a run folder")
    weights = {
        name.removeprefix("network."): value
        for name, value in tensors.items()
        if name.startswith("network.")
    }
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(f"{path}: belongs to another network: {reason}") from None
    weights_in_order = [weight for group in optimizer.param_groups for weight in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".")
            moments.setdefault(int(index), {})[key] = _laid_out(value, weights_in_order[int(index)])
    groups: Any = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return RunProgress(**header["progress"])


def _laid_out(value: Tensor, weight: Tensor) -> Tensor:
    """Gives a moment its weight's memory layout: fused Adam walks both in memory order."""
    return torch.empty_like(weight).copy_(value) if value.shape == weight.shape else value
