"""Files of other programs are named, with what to do; none of them is called damaged."""

import gzip
import io
import json
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from apnet.checkpoints import load_checkpoint
from apnet.errors import CheckpointError
from apnet.model.backbones.weights import read_tensor_file

WEIGHTS = {"conv1.weight": torch.zeros(8, 3, 3, 3), "classifier.weight": torch.zeros(4, 8)}
RELEASED = {"module.att1.fc.weight": torch.zeros(2), "module.att2.fc.weight": torch.zeros(2)}


def torch_file(content) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def old_torch_file(content) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    return buffer.getvalue()


def script() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("net/data.pkl", "net/constants.pkl", "net/code/net.py"):
            archive.writestr(name, "x")
    return buffer.getvalue()


FILES = {
    "torchreid": (torch_file({"state_dict": WEIGHTS, "epoch": 3, "rank1": 0.5}), "torchreid"),
    "fast-reid": (
        torch_file({"model": {f"backbone.{k}": v for k, v in WEIGHTS.items()}, "iteration": 9}),
        "fast-reid",
    ),
    "released APNet": (torch_file({"state_dict": RELEASED}), "released APNet"),
    "Lightning": (
        torch_file({"state_dict": WEIGHTS, "pytorch-lightning_version": "2.5"}),
        "Lightning",
    ),
    "state dict": (torch_file(WEIGHTS), "a state dict of another network"),
    "script": (torch_file({"model": WEIGHTS}), "a training script"),
    "list": (torch_file([1, 2]), "with a list"),
    "module": (torch_file(nn.Linear(2, 2)), "not unpickled for safety"),
    "old module": (old_torch_file(WEIGHTS), "not unpickled for safety"),
    "pickle": (pickle.dumps({"a": 1}), "pickle"),
    "TorchScript": (script(), "TorchScript"),
    "ONNX": (b"\x08\x0a\x12\x07pytorch\x1a\x03" + b"2.9" * 30, "ONNX"),
    "web page": (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    "gzip": (gzip.compress(b"x"), "unpack it"),
    "zip": (zipped("readme.txt"), "unpack it"),
    "numpy": (zipped("features.npy"), "NumPy"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + b"\0" * 50, "HDF5"),
}


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors", "weights.pt.tar"])
@pytest.mark.parametrize("kind", FILES)
def test_checkpoints_of_others_are_named(kind, name, tmp_path):
    content, words = FILES[kind]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words) as caught:
        load_checkpoint(path)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "damaged" not in text
    assert ";" in text
    assert len(text) - len(str(path)) < 300


@pytest.mark.parametrize("kind", ["module", "TorchScript", "ONNX", "web page", "zip", "pickle"])
def test_initial_weights_of_others_are_named(kind, tmp_path):
    content, words = FILES[kind]
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words) as caught:
        read_tensor_file(path)
    assert "damaged" not in str(caught.value)


def test_safetensors_of_others_are_named(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(WEIGHTS, path, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="not one that this package wrote"):
        load_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"hello", json.dumps({"a": 1}).encode()])
def test_what_is_nothing_is_no_checkpoint(content, tmp_path):
    path = tmp_path / "last.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="no safetensors file"):
        load_checkpoint(path)


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    path = tmp_path / "trap.pth"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(CheckpointError):
        load_checkpoint(path)
    path.write_bytes(torch_file({"state_dict": Trap(), "w": np.zeros(2)}))
    with pytest.raises(CheckpointError):
        load_checkpoint(path)
    assert not (tmp_path / "sprung").exists()
