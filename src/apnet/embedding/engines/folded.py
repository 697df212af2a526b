"""PyTorch on the CPU, with every batch norm that follows a convolution folded into it."""

from __future__ import annotations

import torch
from torch import Tensor

from apnet.devices import Precision
from apnet.embedding.backends import Arithmetic, Backend, torch_runner
from apnet.embedding.capture import exported, in_blocks
from apnet.embedding.engines.engine import Engine, Task
from apnet.embedding.folding import fold
from apnet.model import APNet


def folded_backend(network: APNet, image_size: tuple[int, int], precision: Precision) -> Backend:
    """Returns the folded network.

    Args:
        network: in evaluation mode, on the CPU; it is not changed.
        image_size: H and W in pixels.
        precision: its arithmetic.
    """
    module = fold(exported(network, image_size).module())
    run = torch_runner(module, torch.device("cpu"), precision)
    return Backend("folded", precision, in_blocks(run))


def _build(task: Task, precision: Arithmetic, _calibration: Tensor) -> Backend:
    assert precision in ("float32", "bf16")
    return folded_backend(task.network, task.image_size, precision)


ENGINE = Engine(_build, ("float32", "bf16"), order=4)
