"""Recognises files of other programs by their content, so that none is called damaged."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apnet.files.gate import is_file, refusal

_LEADING = {
    b"\x89HDF\r\n": "an HDF5 file, as Keras writes weights",
    b"\x1f\x8b": "a compressed file; unpack it",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"Rar!": "a RAR archive; unpack it",
    b"\x93NUMPY": "a NumPy array",
    b"version https://git-lfs": "a pointer of Git LFS, and not the file itself; fetch it with "
    "'git lfs pull'",
    b"<!": "a web page, and not the file itself; download it again",
    b"<html": "a web page, and not the file itself; download it again",
    b"<?xml": "an XML file, such as OpenVINO's description of a network",
}
_TORCH = "a PyTorch file"
_OBJECTS = (
    f"{_TORCH} that holds Python objects, such as a whole module, which are not unpickled for "
    "safety; save its state dict with torch.save(model.state_dict(), FILE)"
)
_MOST_LEADING = 4096


def kind_of_file(path: Path) -> str | None:
    """Says what kind of file this is, for the sentence "FILE: ...".

    Args:
        path: a file that could not be read as what it should be.

    Returns:
        Which program's file it is, and where possible what to do with it; ``None`` for a file of
        an unknown kind, which may be a damaged one of ours.

    Raises:
        DataError: it cannot be read.
    """
    start = _start(path)
    for leading, kind in _LEADING.items():
        if start.lower().startswith(leading.lower()):
            return kind
    if start.startswith(b"PK"):
        return _kind_of_archive(path)
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        return f"a pickle, or {_TORCH} of an old version, which is not unpickled for safety"
    if start[257:262] == b"ustar":
        return "a tar archive; unpack it"
    if start[:1] == b"\x08" and start[2:3] in b"\x12\x1a\x22\x3a":
        return "an ONNX network"
    return None


def _start(path: Path) -> bytes:
    if not is_file(path):
        return b""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_LEADING)
    except OSError as error:
        raise refusal(path, error) from None


def _kind_of_archive(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return None
    if any(name.endswith("constants.pkl") for name in names):
        return "a TorchScript network; save its state dict instead"
    if any(name.endswith("data.pkl") for name in names):
        return _kind_of_torch_file(path)
    if any(name.endswith(".npy") for name in names):
        return "a NumPy archive"
    return "a zip archive; unpack it"


def _kind_of_torch_file(path: Path) -> str | None:
    import torch

    try:
        with path.open("rb") as file:  # by name, torch would take .safetensors for another format
            content = torch.load(file, map_location="cpu", weights_only=True)
    except RuntimeError:
        return None  # the archive is cut or changed
    except Exception:  # torch.load raises whatever its unpickler meets
        return _OBJECTS
    if not isinstance(content, Mapping):
        return f"{_TORCH} with a {type(content).__name__}, not with weights by name"
    return f"{_TORCH}: {_layout(content)}"


def _layout(content: Mapping[Any, Any]) -> str:
    """Returns whose layout a checkpoint has, from the names in it."""
    if "pytorch-lightning_version" in content:
        return "a checkpoint of Lightning"
    for key, owner in (("model", "fast-reid"), ("state_dict", "torchreid")):
        inner = content.get(key)
        if isinstance(inner, Mapping):
            if key == "model" and not any(str(name).startswith("backbone.") for name in inner):
                owner = "a training script"
            return f"a checkpoint of {owner} (with '{key}'{_released(inner)})"
    return f"a state dict of another network{_released(content)}"


def _released(names: Mapping[Any, Any]) -> str:
    first = [str(name).removeprefix("module.").partition(".")[0] for name in names]
    return ", of the released APNet" if {"att1", "att2"} <= set(first) else ""
