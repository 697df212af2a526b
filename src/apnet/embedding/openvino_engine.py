"""OpenVINO on the CPU, through its frontend: ``convert_model`` carries a telemetry client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from apnet.embedding.backends import Arithmetic, Backend, exported, in_blocks
from apnet.embedding.onnx_engine import quantised_model, quiet
from apnet.extras import require
from apnet.model import APNet

_HINTS = {"float32": "f32", "bf16": "bf16", "int8": "f32"}


def openvino_backend(network: APNet, image_size: tuple[int, int], precision: Arithmetic) -> Backend:
    """Returns the network in OpenVINO, float32 or bf16.

    Args:
        network: in evaluation mode, on the CPU.
        image_size: H and W in pixels.
        precision: its arithmetic.

    Raises:
        MissingExtraError: the package is not installed.
    """
    openvino = require("openvino", "openvino")
    with quiet():
        model = _converted(exported(network, image_size))
    return Backend("openvino", precision, _compiled(openvino, model, precision))


def openvino_int8_backend(network: APNet, calibration: Tensor) -> Backend:
    """Returns the network in OpenVINO, convolutions in 8 bits.

    Args:
        network: in evaluation mode, on the CPU.
        calibration: (N, 3, H, W) float32, normalised: images of the kind to be embedded.

    Raises:
        MissingExtraError: OpenVINO, or ONNX Runtime which makes the 8-bit network, is missing.
    """
    openvino = require("openvino", "openvino")
    model = openvino.Core().read_model(quantised_model(network, calibration))
    return Backend("openvino", "int8", _compiled(openvino, model, "int8"))


def _converted(program: torch.export.ExportedProgram) -> Any:
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
