"""PyTorch as it is, on any device; in float32 it is the reference for all other engines."""

from __future__ import annotations

import torch
from torch import Tensor

from apnet.devices import Precision
from apnet.embedding.backends import Arithmetic, Backend, torch_runner
from apnet.embedding.engines.engine import Engine, Task
from apnet.embedding.fixed import Embeddable, FixedNetwork
from apnet.model import APNet


def eager_backend(network: APNet, device: torch.device, precision: Precision) -> Backend:
    """Returns the network in evaluation mode, channels last.

    Args:
        network: is moved to the device and its memory format is changed.
        device: where it runs.
        precision: its arithmetic.
    """
    network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return unchanged_backend(network, precision)


def unchanged_backend(network: Embeddable, precision: Arithmetic) -> Backend:
    """Returns the network where it is, in the mode and memory format that it has.

    Raises:
        ConfigError: the network is computed in another arithmetic only.
    """
    if isinstance(network, FixedNetwork):
        return network.backend(precision)
    assert precision in ("float32", "bf16")
    device = next(network.parameters()).device
    return Backend("eager", precision, torch_runner(network.embed, device, precision))


def _build(task: Task, precision: Arithmetic, _calibration: Tensor) -> Backend:
    assert precision in ("float32", "bf16")
    return eager_backend(task.network, task.device, precision)


ENGINE = Engine(_build, ("float32", "bf16"), order=5, worth_from=0, on_gpu=True)
