"""ONNX Runtime, and the 8-bit network that it and OpenVINO share."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from apnet.embedding.backends import BLOCK, Backend, exported, in_blocks
from apnet.extras import require
from apnet.model import APNet

_INPUT = "images"
_IN_8_BITS = ["Conv", "Add", "Relu", "Clip", "MaxPool"]
"""Operators in 8 bits; the attentions and the neck, which cost little, stay in float32."""


def onnx_backend(network: APNet, image_size: tuple[int, int]) -> Backend:
    """Returns the network in ONNX Runtime on the CPU, float32.

    Args:
        network: in evaluation mode, on the CPU.
        image_size: H and W in pixels.

    Raises:
        MissingExtraError: the packages are not installed.
    """
    return Backend("onnx", "float32", _session(onnx_model(network, image_size)))


def onnx_int8_backend(network: APNet, calibration: Tensor) -> Backend:
    """Returns the network in ONNX Runtime, convolutions in 8 bits.

    Args:
        network: in evaluation mode, on the CPU.
        calibration: (N, 3, H, W) float32, normalised: images of the kind to be embedded.

    Raises:
        MissingExtraError: the packages are not installed.
    """
    return Backend("onnx", "int8", _session(quantised_model(network, calibration)))


def onnx_model(network: APNet, image_size: tuple[int, int]) -> Any:
    """Returns the network as an ONNX model for ``BLOCK`` images.

    Raises:
        MissingExtraError: the packages are not installed.
    """
    for module in ("onnx", "onnxscript"):
        require(module, "onnx")
    with quiet():
        program = torch.onnx.export(
            exported(network, image_size),
            dynamo=True,
            input_names=[_INPUT],
            output_names=["features"],
            verbose=False,
        )
    if program is None:
        raise RuntimeError("the exporter returned nothing")
    return program.model_proto


def quantised_model(network: APNet, calibration: Tensor) -> bytes:
    """Returns the network as an ONNX model with convolutions in 8 bits, one scale a channel.

    Ranges of the activations are the smallest and largest values that the calibration images give.

    Args:
        network: in evaluation mode, on the CPU.
        calibration: (N, 3, H, W) float32, normalised.

    Raises:
        MissingExtraError: the packages are not installed.
    """
    tools = require("onnxruntime.quantization", "onnx")
    onnx = require("onnx", "onnx")
    height, width = calibration.shape[2:]
    with tempfile.TemporaryDirectory() as folder, quiet():
        whole, prepared, small = (str(Path(folder) / name) for name in ("a", "b", "c"))
        onnx.save(onnx_model(network, (height, width)), whole)
        tools.quant_pre_process(whole, prepared, skip_symbolic_shape=True)
        tools.quantize_static(
            prepared,
            small,
            _Calibration(calibration),
            quant_format=tools.QuantFormat.QDQ,
            op_types_to_quantize=_IN_8_BITS,
            per_channel=True,
            activation_type=tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
        )
        return Path(small).read_bytes()


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps converters' remarks from the user's terminal; errors still raise."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


class _Calibration:
    """Hands the calibration images over in blocks; a part of a block is filled by repetition."""

    def __init__(self, images: Tensor) -> None:
        images = images.repeat(-(-BLOCK // len(images)), 1, 1, 1)
        images = images[: len(images) // BLOCK * BLOCK]
        self._batches = iter(torch.split(images, BLOCK))

    def get_next(self) -> dict[Literal["images"], Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"images": batch.numpy()}


def _session(model: Any) -> Callable[[Tensor], Tensor]:
    runtime = require("onnxruntime", "onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    data = model if isinstance(model, bytes) else model.SerializeToString()
    session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {_INPUT: images.contiguous().numpy()})[0])

    return in_blocks(run)
