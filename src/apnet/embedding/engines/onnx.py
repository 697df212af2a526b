"""ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from apnet.embedding.backends import Arithmetic, Backend
from apnet.embedding.capture import in_blocks
from apnet.embedding.engines.engine import Engine, Task
from apnet.embedding.onnx_models import INPUT, onnx_model, quantised_model
from apnet.extras import require


def _build(task: Task, precision: Arithmetic, calibration: Tensor) -> Backend:
    """Returns the network in float32, or with its convolutions in 8 bits.

    Raises:
        MissingExtraError: the packages are not installed.
    """
    if precision == "int8":
        return Backend("onnx", "int8", _session(quantised_model(task.network, calibration)))
    model = onnx_model(task.network, task.image_size).SerializeToString()
    return Backend("onnx", "float32", _session(model))


def _session(model: bytes) -> Callable[[Tensor], Tensor]:
    runtime = require("onnxruntime", "onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    session: Any = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {INPUT: images.contiguous().numpy()})[0])

    return in_blocks(run)


ENGINE = Engine(_build, ("float32", "int8"), order=2)
