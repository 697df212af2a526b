"""The network as an ONNX model, and its 8-bit form, which ONNX Runtime and OpenVINO run."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    model = onnx_model(network, (calibration.shape[2], calibration.shape[3]))
    return quantised(model, ({INPUT: batch.numpy()} for batch in _blocks(calibration)))


def quantised(
    model: Any, feeds: Iterator[dict[str, Any]], *, first_in_float32: bool = False
) -> bytes:
    """Returns an ONNX model with convolutions in 8 bits, one scale per channel.

    Args:
        model: in float32.
        feeds: its inputs by name, batch by batch; they give the ranges of the activations.
        first_in_float32: whether the first convolution stays in float32.

    Raises:
        MissingExtraError: the packages are not installed.
    """
    tools = require("onnxruntime.quantization", "onnx")
    onnx = require("onnx", "onnx")
    with tempfile.TemporaryDirectory() as folder, quiet():
        whole, prepared, small = (str(Path(folder) / name) for name in ("a", "b", "c"))
        onnx.save(model, whole)
        tools.quant_pre_process(whole, prepared, skip_symbolic_shape=True)
        tools.quantize_static(
            prepared,
            small,
            _Feeds(feeds),
            quant_format=tools.QuantFormat.QDQ,
            op_types_to_quantize=_IN_8_BITS,
            nodes_to_exclude=_first_convolution(onnx.load(prepared)) if first_in_float32 else [],
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


def _first_convolution(model: Any) -> list[str]:
    return [node.name for node in model.graph.node if node.op_type == "Conv"][:1]


def _blocks(images: Tensor) -> Iterator[Tensor]:
    """Yields images in blocks; fewer than a block are repeated to fill it."""
    images = images.repeat(-(-BLOCK // len(images)), 1, 1, 1)
    yield from torch.split(images[: len(images) // BLOCK * BLOCK], BLOCK)


class _Feeds:
    """What ONNX Runtime's quantisation reads its inputs from."""

    def __init__(self, feeds: Iterator[dict[str, Any]]) -> None:
        self._feeds = feeds

    def get_next(self) -> dict[str, Any] | None:
        return next(self._feeds, None)
