"""Others' checkpoints on the command line."""

import numpy as np
import pytest
import torch
from layouts import layumi, osnet
from PIL import Image

import apnet


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a checkpoint of torchreid, one of layumi, and crops."""
    monkeypatch.chdir(tmp_path)
    torch.save(dict(osnet()), "osnet.pth")
    torch.save(dict(layumi()), "layumi.pth")
    (tmp_path / "crops").mkdir()
    random = np.random.default_rng(0)
    for number in range(3):
        pixels = random.integers(0, 256, (64, 32, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "crops" / f"{number}.png")
    return tmp_path


def features(path):
    with np.load(path) as opened:
        return opened["features"]


def test_a_foreign_checkpoint_stands_where_a_checkpoint_does(place, run):
    for options in (
        ["--checkpoint", "osnet.pth", "--out", "a.npz"],
        ["--checkpoint", "osnet.pth", "--architecture", "torchreid/osnet_x0_25", "--out", "b.npz"],
    ):
        code, _, err = run("embed", "crops", *options, "--backend", "eager")
        assert code == 0, err
    assert features("a.npz").shape == (3, 512)
    np.testing.assert_array_equal(features("a.npz"), features("b.npz"))
    code, _, err = run("search", "crops/0.png", "--in", "crops", "--checkpoint", "osnet.pth")
    assert code == 0, err


def test_a_converted_checkpoint_gives_the_same_features(place, run):
    name = "layumi/resnet50_stride1"
    code, out, err = run("convert", "layumi.pth", "--architecture", name, "--out", "l.safetensors")
    assert (code, err) == (0, "")
    assert f"l.safetensors: {name}, 512 numbers" in out
    ours, theirs = (
        apnet.load_model("l.safetensors"),
        apnet.load_model("layumi.pth", architecture=name),
    )
    assert ours.fingerprint == theirs.fingerprint != apnet.load_model("layumi.pth").fingerprint
    assert ours.facts == {"architecture": name}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["embed", "crops", "--out", "x.npz", "--architecture", "layumi/resnet50"], "--checkpoint"),
        (["explain", "crops/0.png", "--out", "x", "--checkpoint", "osnet.pth", "--architecture",
          "torchreid/osnet_x1"], "did you mean 'torchreid/osnet_x1_0'"),
        (["evaluate", "osnet.pth", "--data", "folder=crops", "--architecture", "layumi/resnet50"],
         "closest: torchreid/osnet_x0_25"),
        (["export", "osnet.pth", "--out", "x.onnx", "--architecture", "layumi/resnet50"],
         "closest: torchreid/osnet_x0_25"),
        (["calibrate", "osnet.pth", "--data", "folder=crops", "--architecture", "no/such"],
         "no architecture is called 'no/such'"),
        (["compare", "crops/0.png", "crops/1.png", "--architecture", "no/such"], "--checkpoint"),
        (["search", "crops/0.png", "--in", "crops", "--architecture", "x/y"], "--checkpoint"),
        (["convert", "osnet.pth", "--out", "x.pth"], "ends in .safetensors"),
        (["convert", "crops/0.png", "--out", "x.safetensors"], "crops/0.png"),
        (["convert", "none.pth", "--out", "x.safetensors"], "no such checkpoint"),
    ],
)  # fmt: skip
def test_wrong_use_ends_in_one_line(place, run, arguments, words):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert not list(place.glob("x*"))


def test_a_foreign_network_is_exported_and_agrees(place, run):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    code, out, err = run("export", "osnet.pth", "--to", "onnx", "--out", "osnet.onnx")
    assert code == 0, err
    assert "agrees with the original" in out
