"""OpenVINO's two files: ``.xml`` with graph and metadata, ``.bin`` with the weights."""

from __future__ import annotations

from typing import Any

from apnet.embedding.engines.openvino import converted
from apnet.embedding.onnx_models import quiet
from apnet.exported.metadata import INPUT, KEY, OUTPUT
from apnet.exporting.graph import captured
from apnet.exporting.plan import ExportJob
from apnet.exporting.targets.onnx import quantised_graph
from apnet.exporting.targets.target import Target, conversion_error
from apnet.extras import require


def write_openvino(job: ExportJob) -> None:
    """Writes the network with its metadata.

    Raises:
        MissingExtraError: OpenVINO is missing, or, for 8 bits, ONNX Runtime, which quantises.
        ConfigError: the network has an operator that OpenVINO lacks.
    """
    openvino = require("openvino", "openvino")
    model = _model(openvino, job)
    size, whole = job.plan.input_size, job.plan.pixels == "uint8"
    model.reshape([-1, *size, 3] if whole else [-1, 3, *size])
    model.inputs[0].get_tensor().set_names({INPUT})
    model.outputs[0].get_tensor().set_names({OUTPUT})
    model.set_rt_info(job.metadata.to_json(), KEY)
    openvino.save_model(model, str(job.path), compress_to_fp16=False)


def _model(openvino: Any, job: ExportJob) -> Any:
    if job.plan.precision == "int8":
        return openvino.Core().read_model(quantised_graph(job))
    program = captured(job.network, job.plan)
    try:
        with quiet():
            return converted(program)
    except Exception as error:  # the converter's errors have no common base
        raise conversion_error("OpenVINO", "--to onnx or --to torch", error) from error


TARGET = Target(write_openvino, ".xml", ("float32", "float16", "int8"))
