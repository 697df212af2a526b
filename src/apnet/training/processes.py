"""Several processes that train as one: torch's own distributed engine, started by ``torchrun``.

At the same global batch, any number of processes computes the gradient of one process: batch norm
uses the statistics of the global batch, and the triplet's hardest examples are searched among the
features of all processes.
"""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from apnet.devices import without_autocast

_PATIENCE = timedelta(hours=4)  # the others wait while the leading process evaluates


@dataclass(frozen=True)
class Processes:
    """This process's number and how many there are."""

    rank: int = 0
    world: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process evaluates, prints and writes."""
        return self.rank == 0


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[tuple[Processes, torch.device]]:
    """Joins the group that ``torchrun`` describes in the environment; alone without one.

    A group that was joined further out is kept.

    Yields:
        This process's place, and its device (the GPU of its local rank).
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes(), device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if dist.is_initialized():
        yield Processes(dist.get_rank(), dist.get_world_size()), device
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield Processes(dist.get_rank(), dist.get_world_size()), device
    finally:
        dist.destroy_process_group()


def gather(rows: Tensor, processes: Processes) -> Tensor:
    """Concatenates all processes' (n, ...) rows in rank order, differentiably: (world * n, ...)."""
    if processes.world == 1:
        return rows
    return torch.cat(_collectives().all_gather(rows.contiguous()))


def total(value: Tensor, processes: Processes) -> Tensor:
    """Sums a tensor over all processes, without gradient."""
    value = value.detach().clone()
    if processes.world > 1:
        dist.all_reduce(value)
    return value


def _collectives() -> Any:
    """Returns torch's collectives with gradients; their import costs time, so it is done late."""
    import torch.distributed.nn.functional

    return torch.distributed.nn.functional


class GlobalBatchNorm(TorchFunctionMode):
    """While active, training-mode batch norm uses the statistics of all processes' batches.

    It works on any module that calls torch's batch norm, on any device, and leaves the modules and
    their state dicts as they are.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.batch_norm:
            call = _BATCH_NORM.bind(*args, **(kwargs or {}))
            call.apply_defaults()
            if call.arguments.pop("training"):
                return _global_batch_norm(call.arguments.pop("input"), **call.arguments)
        return func(*args, **(kwargs or {}))


_BATCH_NORM = inspect.signature(functional.batch_norm)


def _global_batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    momentum: float,
    eps: float,
) -> Tensor:
    with without_autocast(x.device):
        values = x.float()
        axes = [axis for axis in range(x.ndim) if axis != 1]
        shape = [1, -1] + [1] * (x.ndim - 2)
        count = _collectives().all_reduce(
            values.new_tensor(float(values.numel() // values.shape[1]))
        )
        mean = _collectives().all_reduce(values.sum(axes)) / count
        centred = values - mean.view(shape)  # (C,) -> (1, C, 1, 1)
        variance = _collectives().all_reduce(centred.square().sum(axes)) / count
        if running_mean is not None and running_var is not None:
            with torch.no_grad():
                running_mean.lerp_(mean, momentum)
                running_var.lerp_(variance * count / (count - 1), momentum)
        result: Tensor = centred * torch.rsqrt(variance + eps).view(shape)
        if weight is not None:
            result = result * weight.view(shape)
        if bias is not None:
            result = result + bias.view(shape)
    return result.to(x.dtype)
