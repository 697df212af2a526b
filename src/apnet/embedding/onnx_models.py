"""The network as an ONNX model, and its 8-bit form, which ONNX Runtime and OpenVINO run."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from apnet.embedding.capture import BLOCK, exported
from apnet.extras import require
from apnet.model import APNet

INPUT = "images"
"""Name of the model's input."""

_IN_8_BITS = ["Conv", "Add", "Relu", "Clip", "MaxPool"]
"""Operators in 8 bits; the attentions and the BN neck, which cost little, stay in float32."""


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
            input_names=[INPUT],
            output_names=["features"],
            verbose=False,
        )
    if program is None:
        raise RuntimeError("the exporter returned nothing")
    return program.model_proto


def quantised_model(network: APNet, calibration: Tensor) -> bytes:
    """Returns the network as an ONNX model with convolutions in 8 bits, one scale per channel.

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
    """Suppresses converters' warnings and log messages; errors are still raised."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


class _Calibration:
    """Yields the calibration images in blocks; fewer than a block are repeated to fill it."""

    def __init__(self, images: Tensor) -> None:
        images = images.repeat(-(-BLOCK // len(images)), 1, 1, 1)
        images = images[: len(images) // BLOCK * BLOCK]
        self._batches = iter(torch.split(images, BLOCK))

    def get_next(self) -> dict[Literal["images"], Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"images": batch.numpy()}
