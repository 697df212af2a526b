"""Exported files as networks, wherever a checkpoint may be named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from apnet.config import NetworkConfig, parse
from apnet.data.transforms import normalise, unnormalise
from apnet.display import summarised
from apnet.embedding.backends import Backend
from apnet.embedding.fixed import FixedNetwork
from apnet.errors import CheckpointError, ConfigError
from apnet.exported.metadata import ExportMetadata, Pixels
from apnet.exported.onnx_file import open_onnx
from apnet.exported.opened import Opened
from apnet.exported.openvino_file import open_openvino
from apnet.exported.torch_file import open_torch
from apnet.files import is_file

READERS: dict[str, Callable[[Path], Opened]] = {
    ".onnx": open_onnx,
    ".xml": open_openvino,
    ".pt2": open_torch,
}
"""What opens a file, by the ending of its name."""


@summarised
@dataclass(frozen=True, repr=False)
class ExportedFile:
    """An exported network, ready for use on the CPU.

    Attributes:
        network: computes its features.
        config: of the network that was exported, with the file's input size.
        fingerprint: of its embeddings.
        path: the file.
        facts: what the network's checkpoint notes.
        metadata: all that the file says about itself.
    """

    network: FixedNetwork
    config: NetworkConfig
    fingerprint: str
    path: Path
    facts: Mapping[str, Any]
    metadata: ExportMetadata

    def rows(self) -> dict[str, object]:
        """Returns what a summary shows, by name."""
        metadata = self.metadata
        return {
            "exported": f"{self.config.backbone} in {metadata.precision}",
            "input": metadata.preprocessing,
            "mirror image": "inside" if metadata.mirror else "not inside",
            "feature": f"{self.config.feature}, {metadata.dimensions:,} numbers",
            "network": metadata.network_fingerprint,
            "from": self.path,
        }

    def _rows(self) -> dict[str, object]:
        return {"fingerprint": self.fingerprint, **self.rows()}


def is_exported(path: Path) -> bool:
    """Whether a path is named like an exported file."""
    return path.suffix.lower() in READERS


def load_exported(path: Path) -> ExportedFile:
    """Loads an exported file.

    Raises:
        MissingExtraError: the package that runs it is not installed.
        DataError: the file cannot be read.
        CheckpointError: it is missing, damaged, or not exported by this package.
    """
    if not is_file(path):
        raise CheckpointError(f"{path}: no such file; name one that 'apnet export' wrote")
    opened = READERS[path.suffix.lower()](path)
    metadata = opened.metadata
    backend = Backend(path.name, metadata.precision, _runner(opened), metadata.mirror)
    try:
        config = parse(NetworkConfig, metadata.network, str(path))
    except ConfigError as error:
        raise CheckpointError(str(error)) from None
    return ExportedFile(
        FixedNetwork(backend, metadata.dimensions).eval(),
        dataclasses.replace(config, image_size=metadata.input_size),
        metadata.fingerprint,
        path,
        metadata.facts,
        metadata,
    )


def _runner(opened: Opened) -> Callable[[Tensor], Tensor]:
    pixels = opened.metadata.pixels

    def run(images: Tensor) -> Tensor:
        images = images.cpu()
        given = images if pixels == "normalised" else fed(unnormalise(images), pixels)
        return torch.from_numpy(opened.run(given.contiguous().numpy()))

    return run


def fed(images: Tensor, pixels: Pixels) -> Tensor:
    """Returns the input of a file.

    Args:
        images: (N, 3, H, W) uint8.
        pixels: what the input holds, see ``PREPROCESSING``.
    """
    if pixels == "uint8":
        return images.permute(0, 2, 3, 1)
    return normalise(images) if pixels == "normalised" else images.float() / 255
