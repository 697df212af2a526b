"""Opens exported OpenVINO files. Needs no torch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.errors import CheckpointError
from apnet.exported.metadata import KEY, read_metadata
from apnet.exported.opened import MOST_BYTES, Opened
from apnet.extras import require
from apnet.files import read_bytes, shortened


def open_openvino(path: Path) -> Opened:
    """Opens a ``.xml`` file, with the weights in the ``.bin`` file beside it, on the CPU.

    Raises:
        MissingExtraError: OpenVINO is not installed.
        DataError: a file is missing or cannot be read.
        CheckpointError: it is no OpenVINO network, or none that this package exported.
    """
    openvino = require("openvino", "openvino")
    description = read_bytes(path, MOST_BYTES)
    weights = read_bytes(path.with_suffix(".bin"), MOST_BYTES)
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal():  # which OpenVINO does not look at
        settings["INFERENCE_NUM_THREADS"] = int(threads)
    try:
        core = openvino.Core()
        model = core.read_model(description, weights)
        text = model.get_rt_info(KEY).astype(str) if model.has_rt_info(KEY) else None
        compiled = core.compile_model(model, "CPU", settings)
    except Exception as error:  # its errors have no common base
        raise CheckpointError(
            f"{path}: no OpenVINO network, or a damaged one ({shortened(str(error), 160)}); export "
            "it again"
        ) from None

    def run(images: NDArray[Any]) -> NDArray[np.float32]:
        features: NDArray[np.float32] = compiled(images)[0].copy()
        return features

    return Opened(read_metadata(text, path), run)
