"""Reads the weights in a checkpoint of another toolkit; no code in the file is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from apnet.errors import CheckpointError
from apnet.files import is_file, kind_of_file
from apnet.model.backbones.weights import read_tensor_file

_TORCH = ("a PyTorch file", "a pickle")
_PREFIX = "module."


def is_foreign(path: Path) -> bool:
    """Returns whether a file holds weights, and is no checkpoint of this package.

    Raises:
        DataError: the system refuses to say what it is.
    """
    if not is_file(path):
        return False
    metadata = _safetensors_metadata(path)
    if metadata is not None:
        return "apnet" not in metadata
    return (kind_of_file(path) or "").startswith(_TORCH)


def read_foreign(path: Path) -> dict[str, Tensor]:
    """Reads weights by the file's names, without the prefix of parallel training.

    Raises:
        CheckpointError: the file is missing, damaged, or holds something else.
    """
    if not is_file(path):
        raise CheckpointError(f"{path}: no such checkpoint; name a file of the other toolkit")
    tensors = read_tensor_file(path)
    return {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}


def _safetensors_metadata(path: Path) -> Mapping[str, Any] | None:
    """Returns a safetensors file's metadata, ``None`` for a file of another kind."""
    try:
        with safe_open(path, framework="pt") as opened:
            return opened.metadata() or {}
    except (SafetensorError, OSError, ValueError):
        return None
