"""Bad input of ``apnet export`` is one line that names it, and leaves nothing behind."""

import numpy as np
import pytest
from PIL import Image
from tiny_exports import ONNX

from apnet.errors import ConfigError, MissingExtraError
from apnet.exporting import export


@pytest.fixture
def place(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "few").mkdir()
    for index in range(3):
        Image.new("RGB", (16, 32), (80 * index, 0, 0)).save(tmp_path / "few" / f"{index}.png")
    np.save(tmp_path / "other.npy", np.zeros(3))
    (tmp_path / "foreign.onnx").write_bytes(b"\x08\x07\x12\x07pytorch")
    (tmp_path / "folder.onnx").mkdir()
    return tmp_path


BAD = {
    "no target": (["shipped", "--out", "F.onnx"], "name a target with --to"),
    "unknown target": (["shipped", "--to", "onx", "--out", "F"], "did you mean 'onnx'"),
    "unknown preset": (["shipped", "--for", "boxmoth", "--out", "F"], "did you mean 'boxmot'"),
    "wrong ending": (["shipped", "--to", "onnx", "--out", "F.xml"], "ends in .onnx"),
    "an ending alone": (["shipped", "--to", "onnx", "--out", ".onnx"], "ends in .onnx"),
    "a folder": (["shipped", "--to", "onnx", "--out", "folder.onnx"], "a folder; name the file"),
    "preset and target": (
        ["shipped", "--to", "openvino", "--for", "ultralytics", "--out", "F.onnx"],
        "--for ultralytics is --to onnx",
    ),
    "preset and pixels": (
        ["shipped", "--for", "ultralytics", "--pixels", "uint8", "--out", "F.onnx"],
        "--pixels is fixed by --for ultralytics",
    ),
    "two arithmetics": (
        ["shipped", "--to", "onnx", "--half", "--int8", "--out", "F.onnx"],
        "give one of them",
    ),
    "int8 without images": (
        ["shipped", "--to", "onnx", "--int8", "--out", "F.onnx"],
        "name a folder of them with --images",
    ),
    "a size that is none": (
        ["shipped", "--to", "onnx", "--input-size", "big", "--out", "F.onnx"],
        "is no image size",
    ),
    "missing images": (
        ["shipped", "--to", "onnx", "--images", "absent", "--out", "F.onnx"],
        "absent: no such file or folder",
    ),
    "a folder without images": (
        ["shipped", "--to", "onnx", "--images", "empty", "--out", "F.onnx"],
        "empty: no images found",
    ),
    "too few images": (
        ["shipped", "--to", "onnx", "--images", "few", "--out", "F.onnx"],
        "few: 3 images; comparing needs 8 or more",
    ),
    "a missing checkpoint": (
        ["absent.safetensors", "--to", "onnx", "--out", "F.onnx"],
        "no such checkpoint",
    ),
    "a file of another program": (
        ["other.npy", "--to", "onnx", "--out", "F.onnx"],
        "a NumPy array, and no checkpoint of this package",
    ),
    "another program's network": (
        ["foreign.onnx", "--to", "onnx", "--out", "F.onnx"],
        "no ONNX network, or a damaged one",
    ),
}


@ONNX
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(run, place, monkeypatch, case):
    arguments, expected = BAD[case]
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))
    code, out, err = run("export", *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1, err
    assert expected in err
    assert sorted(place.rglob("*")) == before


@ONNX
def test_an_exported_file_is_not_exported_again(exported, people, tmp_path):
    with pytest.raises(ConfigError, match="name the checkpoint that it was made from"):
        export(exported.path, "onnx", tmp_path / "again.onnx", images=people)


def test_a_missing_package_is_named(checkpoint, people, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'apnet-reid\[onnx\]'"):
        export(checkpoint, "onnx", tmp_path / "F.onnx", images=people)
    assert list(tmp_path.iterdir()) == []
