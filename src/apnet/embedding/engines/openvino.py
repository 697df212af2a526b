"""OpenVINO on the CPU, through its frontend, as ``convert_model`` contains a telemetry client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from apnet.embedding.backends import Arithmetic, Backend
from apnet.embedding.capture import exported, in_blocks
from apnet.embedding.engines.engine import Engine, Task
from apnet.embedding.onnx_models import quantised_model, quiet
from apnet.extras import require

_HINTS = {"float32": "f32", "bf16": "bf16", "int8": "f32"}


def _build(task: Task, precision: Arithmetic, calibration: Tensor) -> Backend:
    """Returns the network in float32 or bf16, or with its convolutions in 8 bits.

    Raises:
        MissingExtraError: OpenVINO is missing, or, for 8 bits, ONNX Runtime, which quantises.
    """
    openvino = require("openvino", "openvino")
    if precision == "int8":
        model = openvino.Core().read_model(quantised_model(task.network, calibration))
    else:
        with quiet():
            model = converted(exported(task.network, task.image_size))
    return Backend("openvino", precision, _compiled(openvino, model, precision))


def converted(program: torch.export.ExportedProgram) -> Any:
    """Returns a captured graph as OpenVINO's model; its errors have no common base."""
    manager = require("openvino.frontend", "openvino").FrontEndManager()
    decoders = require("openvino.frontend.pytorch.fx_decoder", "openvino")
    decoder = decoders.TorchFXPythonDecoder.from_exported_program(program)  # to outlive convert
    frontend = manager.load_by_framework("pytorch")
    return frontend.convert(frontend.load(decoder))


def _compiled(openvino: Any, model: Any, precision: Arithmetic) -> Callable[[Tensor], Tensor]:
    compiled = openvino.Core().compile_model(
        model,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "PERFORMANCE_HINT": "LATENCY",
        },
    )

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(compiled(images.contiguous().numpy())[0].copy())

    return in_blocks(run)


ENGINE = Engine(_build, ("float32", "bf16", "int8"), order=1)
