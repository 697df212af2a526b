"""The folded network compiled by ``torch.compile``; needs a C++ compiler."""

from __future__ import annotations

import torch
from torch import Tensor

from apnet.embedding.backends import Arithmetic, Backend, torch_runner
from apnet.embedding.capture import exported, in_blocks
from apnet.embedding.engines.engine import Engine, Task
from apnet.embedding.folding import fold


def _build(task: Task, precision: Arithmetic, _calibration: Tensor) -> Backend:
    """Returns the folded network, which is compiled in its first call; that takes a minute."""
    assert precision in ("float32", "bf16")
    folded = fold(exported(task.network, task.image_size).module())
    run = torch_runner(torch.compile(folded, dynamic=False), torch.device("cpu"), precision)
    return Backend("compiled", precision, in_blocks(run))


ENGINE = Engine(_build, ("float32", "bf16"), order=3, worth_from=20_000)
