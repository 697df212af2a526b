"""A script that builds a TensorRT engine from an ONNX file beside it, with NVIDIA's ``trtexec``.

Engines belong to one GPU and TensorRT version, so they are built where they run.
"""

from __future__ import annotations

import dataclasses
import shlex

from apnet.exported.metadata import INPUT
from apnet.exporting.plan import ExportJob, GraphPlan
from apnet.exporting.targets.onnx import write_onnx
from apnet.exporting.targets.target import Target

_BATCHES = {"min": 1, "opt": 16, "max": 64}
"""Images per call that the engine takes, and is fastest for."""


def write_tensorrt_script(job: ExportJob) -> None:
    """Writes the ONNX file and the script; errors as for ONNX."""
    onnx = job.path.with_suffix(".onnx")
    write_onnx(dataclasses.replace(job, path=onnx))
    job.path.write_text(build_script(job.path.stem, job.plan), encoding="utf-8")
    job.path.chmod(onnx.stat().st_mode | 0o111)


def build_script(name: str, plan: GraphPlan) -> str:
    """Returns the script.

    Args:
        name: of the files, without ending.
        plan: of the graph.
    """
    height, width = plan.input_size
    image = f"{height}x{width}x3" if plan.pixels == "uint8" else f"3x{height}x{width}"
    arguments = [
        f"--onnx={name}.onnx",
        f"--saveEngine={name}.engine",
        *(f"--{kind}Shapes={INPUT}:{count}x{image}" for kind, count in _BATCHES.items()),
        *(["--fp16"] if plan.precision == "float16" else []),
    ]
    lines = " \\\n    ".join(map(shlex.quote, arguments))
    return (
        "#!/bin/sh\n"
        "# Builds a TensorRT engine for this machine's GPU; further options go to trtexec.\n"
        "set -eu\n"
        'cd -- "$(dirname -- "$0")"\n'
        f'exec trtexec \\\n    {lines} \\\n    "$@"\n'
    )


TARGET = Target(
    write_tensorrt_script,
    ".sh",
    ("float32", "float16"),
    reader=".onnx",
    pixels="unit",
)
