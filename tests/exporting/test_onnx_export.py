"""The ONNX file stands wherever a checkpoint does, and reads without torch."""

import json

import numpy as np
import pytest
import torch
from tiny_exports import ONNX, SIZE, TINY, crops, seasoned

import apnet
from apnet.config import NetworkConfig
from apnet.errors import CheckpointError, ConfigError
from apnet.exported.metadata import KEY
from apnet.exporting import export, gate
from market_people import write_people

pytestmark = ONNX


def test_the_file_embeds_as_the_checkpoint_does(exported, checkpoint, people):
    file, original = apnet.load_model(exported.path), apnet.load_model(checkpoint)
    assert file.fingerprint == original.fingerprint
    assert file.image_size == original.image_size == SIZE
    found, expected = file.embed(people), original.embed(people)
    assert found.fingerprint == expected.fingerprint
    np.testing.assert_allclose(found.features, expected.features, atol=1e-5)
    assert exported.gate.passed
    assert exported.gate.images == 24


def test_any_number_of_images_in_one_call(exported):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(exported.path), providers=["CPUExecutionProvider"])
    (given,), (returned,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape, given.type) == ("images", ["batch", *SIZE, 3], "tensor(uint8)")
    assert (returned.name, returned.shape) == ("features", ["batch", 16])
    images = crops(37, SIZE)
    (whole,) = session.run(None, {"images": images})
    alone = np.concatenate([session.run(None, {"images": each[None]})[0] for each in images])
    np.testing.assert_allclose(whole, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-5)


def test_the_file_says_what_it_is(exported, checkpoint):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(exported.path), providers=["CPUExecutionProvider"])
    said = json.loads(session.get_modelmeta().custom_metadata_map[KEY])
    assert said["fingerprint"] == apnet.load_checkpoint(checkpoint).fingerprint
    assert (said["dimensions"], said["input_size"], said["mirror"]) == (16, list(SIZE), True)
    assert said["facts"] == {"epoch": 7, "seed": 3}
    assert "uint8, RGB" in said["preprocessing"]
    assert "without their consent" in said["intended_use"]


def test_commands_take_the_file(run, exported, checkpoint, people, tmp_path):
    for name, model in (("file", exported.path), ("original", checkpoint)):
        code, _out, err = run("embed", people, "--out", tmp_path / name, "--checkpoint", model)
        assert code == 0, err
    code, _out, err = run("embed", people, "--out", tmp_path / "file", "--checkpoint", checkpoint)
    assert code == 0, err  # the same store: one fingerprint
    found, expected = (apnet.load_features(tmp_path / name) for name in ("file", "original"))
    np.testing.assert_allclose(found.features, expected.features, atol=1e-5)
    people_folder = write_people(tmp_path / "market")
    figures = []
    for model in (exported.path, checkpoint):
        code, out, err = run("evaluate", model, "--data", f"market1501={people_folder}", "--json")
        assert code == 0, err
        figures.append(json.loads(out))
    assert figures[0]["mAP"] == pytest.approx(figures[1]["mAP"])


def test_a_gallery_takes_the_file_and_its_network(exported, checkpoint, people, tmp_path):
    pictures = sorted(people.iterdir())
    with apnet.Gallery.create(tmp_path / "g.gallery", model=checkpoint) as gallery:
        gallery.add(pictures[0], "ann")
    with apnet.Gallery(tmp_path / "g.gallery", model=exported.path) as gallery:
        gallery.add(pictures[4], "bob")
        (match, _other) = gallery.search(pictures[0], k=2)
    assert (match.name, match.similarity) == ("ann", pytest.approx(1, abs=1e-5))


def test_what_a_file_cannot_do_is_said(run, exported, people, tmp_path):
    model = apnet.load_model(exported.path)
    with pytest.raises(ConfigError, match="mirror image's feature itself"):
        model.embed(people, flip=False)
    with pytest.raises(ConfigError, match="computes in float32 only"):
        model.embed(people, precision="bf16")
    with pytest.raises(ConfigError, match="computes features only; name the checkpoint"):
        apnet.explain(model, sorted(people.iterdir())[0])
    command = ("embed", people, "--out", tmp_path / "f", "--checkpoint", exported.path)
    code, _out, err = run(*command, "--backend", "onnx")
    assert (code, err.count("\n")) == (2, 1)
    assert "runs in one way only" in err


def test_a_file_that_apnet_did_not_write_is_refused(exported, tmp_path):
    import onnx

    model = onnx.load(exported.path)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(CheckpointError, match="preprocessing is unknown"):
        apnet.load_model(tmp_path / "other.onnx")
    for damage in (b"", b"\x08\x07", exported.path.read_bytes()[:5000]):
        (tmp_path / "cut.onnx").write_bytes(damage)
        with pytest.raises(CheckpointError, match=r"cut\.onnx: no ONNX network, or a damaged one"):
            apnet.load_model(tmp_path / "cut.onnx")
    with pytest.raises(CheckpointError, match="no such file"):
        apnet.load_model(tmp_path / "absent.onnx")


@pytest.mark.parametrize("damage", ["{", "[]", "{}", '{"format": 2, "version": "9.0"}'])
def test_damaged_metadata_is_refused(exported, tmp_path, damage):
    import onnx

    model = onnx.load(exported.path)
    model.metadata_props[0].value = damage
    onnx.save(model, tmp_path / "other.onnx")
    expected = "newer version of apnet" if "9.0" in damage else "its metadata: damaged"
    with pytest.raises(CheckpointError, match=expected):
        apnet.load_model(tmp_path / "other.onnx")


def test_the_gate_sees_wrong_values_shapes_and_ranks():
    features = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    assert gate.measured(features, features, gate.EXACT).passed
    for other in (
        features[::-1],
        features[:, :7],
        np.full_like(features, np.nan),
        features + np.float32(1e-3),
    ):
        assert not gate.measured(features, other, gate.EXACT).passed
    ranks_alone = gate.GateResult(0, 1, 0.9, 20, gate.EXACT)
    assert not ranks_alone.passed


def test_an_operator_that_the_target_lacks_is_named(people, tmp_path):
    network = seasoned(NetworkConfig(**TINY))
    network.trunk = torch.nn.Sequential(network.trunk)
    network.trunk.append(Bessel())
    network.image_size = SIZE
    with pytest.raises(
        ConfigError, match=r"ONNX has no operator for prims\.bessel_j0 of.*--to torch"
    ):
        export(network.eval(), "onnx", tmp_path / "F.onnx", images=people)
    assert list(tmp_path.iterdir()) == []


class Bessel(torch.nn.Module):
    def forward(self, x):
        return x * torch.special.bessel_j0(x)
