"""ONNX, for ONNX Runtime and whatever else reads it."""

from __future__ import annotations

from typing import Any

import torch

from apnet.embedding.onnx_models import quantised, quiet
from apnet.errors import MissingExtraError
from apnet.exported.metadata import INPUT, KEY, OUTPUT
from apnet.exported.reading import fed
from apnet.exporting.graph import captured
from apnet.exporting.plan import ExportJob
from apnet.exporting.targets.target import Target, conversion_error
from apnet.extras import require

_BATCH = 16


def write_onnx(job: ExportJob) -> None:
    """Writes the network with its metadata into one file.

    Raises:
        MissingExtraError: the packages are not installed.
        ConfigError: the network has an operator that ONNX lacks.
    """
    if job.plan.precision == "int8":
        model = require("onnx", "onnx").load_from_string(quantised_graph(job))
    else:
        model = onnx_graph(job)
    for name, value in {KEY: job.metadata.to_json(), **job.properties}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, value
    job.path.write_bytes(model.SerializeToString())


def quantised_graph(job: ExportJob) -> bytes:
    """Returns the network with its convolutions in 8 bits; errors as ``write_onnx``."""
    batches = torch.split(job.calibration, _BATCH)
    feeds = ({INPUT: fed(batch, job.plan.pixels).contiguous().numpy()} for batch in batches)
    return quantised(onnx_graph(job), feeds, first_in_float32=True)


def onnx_graph(job: ExportJob) -> Any:
    """Returns the network as an ONNX model in the job's arithmetic; errors as ``write_onnx``."""
    for module in ("onnx", "onnxscript", "onnxruntime"):
        require(module, "onnx")
    program = captured(job.network, job.plan)
    try:
        with quiet():
            converted = torch.onnx.export(
                program,
                dynamo=True,
                input_names=[INPUT],
                output_names=[OUTPUT],
                verbose=False,
            )
    except MissingExtraError:
        raise
    except Exception as error:  # the converter's errors have no common base
        raise conversion_error("ONNX", "--to torch", error) from error
    assert converted is not None
    model = converted.model_proto
    del model.graph.value_info[:]  # shapes by the exporter's own names of the batch
    for node in model.graph.node:
        del node.metadata_props[:]  # places in source files of this machine
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return model


TARGET = Target(write_onnx, ".onnx", ("float32", "float16", "int8"))
