"""Opens exported ONNX files with ONNX Runtime. Needs no torch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.errors import CheckpointError
from apnet.exported.metadata import INPUT, KEY, read_metadata
from apnet.exported.opened import MOST_BYTES, Opened
from apnet.extras import require
from apnet.files import read_bytes, shortened


def open_onnx(path: Path) -> Opened:
    """Opens a file on the CPU.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        DataError: the file cannot be read.
        CheckpointError: it is no ONNX network, or none that this package exported.
    """
    runtime = require("onnxruntime", "onnx")
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # fatal: errors are raised as well
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal():  # which ONNX Runtime does not look at
        options.intra_op_num_threads = int(threads)
    content = read_bytes(path, MOST_BYTES)  # not the name: no file beside it is read
    try:
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base
        raise CheckpointError(
            f"{path}: no ONNX network, or a damaged one ({shortened(str(error), 160)}); export it "
            "again"
        ) from None
    text = session.get_modelmeta().custom_metadata_map.get(KEY)

    def run(images: NDArray[Any]) -> NDArray[np.float32]:
        features: NDArray[np.float32] = session.run(None, {INPUT: images})[0]
        return features

    return Opened(read_metadata(text, path), run)
