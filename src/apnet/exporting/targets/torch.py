"""A program of ``torch.export``, which PyTorch runs without this package."""

from __future__ import annotations

import torch

from apnet.exported.metadata import KEY
from apnet.exporting.graph import captured
from apnet.exporting.plan import ExportJob
from apnet.exporting.targets.target import Target


def write_torch(job: ExportJob) -> None:
    """Writes the network with its metadata into one file.

    Raises:
        ConfigError: the network cannot be captured as a graph.
    """
    program = captured(job.network, job.plan)
    torch.export.save(program, str(job.path), extra_files={KEY: job.metadata.to_json()})


TARGET = Target(write_torch, ".pt2", ("float32", "float16"))
