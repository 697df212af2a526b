"""Every target passes the gate, is refused when it does not, and stands for a checkpoint."""

import dataclasses
import json

import numpy as np
import pytest
from tiny_exports import ONNX, OPENVINO, SIZE, TINY, crops, seasoned

import apnet
from apnet.config import NetworkConfig, preset
from apnet.errors import CheckpointError, ConfigError, DataError
from apnet.exporting import TARGETS, export

TO = [
    pytest.param("torch", "float16"),
    pytest.param("onnx", "float16", marks=[ONNX, pytest.mark.slow]),
    pytest.param("onnx", "int8", marks=[ONNX, pytest.mark.slow]),
    pytest.param("openvino", "float32", marks=OPENVINO),
    pytest.param("openvino", "int8", marks=[ONNX, OPENVINO]),
]


@pytest.fixture(scope="module")
def served(checkpoint, people, tmp_path_factory):
    """What the preset for OpenVINO Model Server writes."""
    out = tmp_path_factory.mktemp("models") / "people"
    return export(checkpoint, out=out, preset="openvino-model-server", images=people)


@pytest.fixture(scope="module")
def files(request, checkpoint, people, tmp_path_factory):
    """Exports of the tiny network, made when they are first asked for."""
    made = {}

    def file(to, precision):
        if (to, precision) == ("openvino", "float32"):
            done = request.getfixturevalue("served")
            return dataclasses.replace(done, path=done.path / "1" / "model.xml")
        if (to, precision) not in made:
            out = tmp_path_factory.mktemp("target") / f"F{TARGETS[to].suffix}"
            made[to, precision] = export(checkpoint, to, out, images=people, precision=precision)
        return made[to, precision]

    return file


@pytest.mark.parametrize(("to", "precision"), TO)
def test_the_file_agrees(files, checkpoint, people, to, precision):
    done = files(to, precision)
    file, original = apnet.load_model(done.path), apnet.load_model(checkpoint)
    found, expected = file.embed(people), original.embed(people)
    cosines = (found.features * expected.features).sum(axis=1)
    least = {"float32": 0.999999, "float16": 0.9999, "int8": 0.98}[precision]
    assert cosines.min() > least
    same = np.abs(found.features - expected.features).max() < 1e-5
    assert same == (precision == "float32"), "it is another arithmetic"
    assert file.embedder.precision == precision
    assert (file.fingerprint == original.fingerprint) == (precision == "float32")
    alone = np.concatenate([file.embed(each).features for each in sorted(people.iterdir())[:3]])
    np.testing.assert_allclose(alone, found.features[:3], atol=1e-3)


@OPENVINO
def test_openvino_model_server(served, checkpoint, people):
    """It reads NAME/VERSION/*.xml and finds input and output by their names."""
    import openvino

    out = served.path
    assert [path.name for path in out.iterdir()] == ["1"]
    assert sorted(path.name for path in (out / "1").iterdir()) == ["model.bin", "model.xml"]
    compiled = openvino.Core().compile_model(
        str(out / "1" / "model.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    images = crops(4, SIZE)
    features = compiled({"images": images})["features"]
    expected = apnet.load_model(checkpoint).embed(images).features
    np.testing.assert_allclose(features, expected, atol=1e-5)
    with pytest.raises(ConfigError, match="is there already; name a new folder"):
        export(checkpoint, out=out, preset="openvino-model-server", images=people)


@pytest.mark.slow
@ONNX
@OPENVINO
def test_one_arithmetic_has_one_fingerprint_whatever_the_target(files):
    assert (
        files("onnx", "int8").metadata.fingerprint == files("openvino", "int8").metadata.fingerprint
    )
    assert (
        files("onnx", "int8").metadata.fingerprint != files("onnx", "float16").metadata.fingerprint
    )


@OPENVINO
def test_an_openvino_file_without_its_weights(files, tmp_path):
    xml = files("openvino", "float32").path
    (tmp_path / "F.xml").write_bytes(xml.read_bytes())
    with pytest.raises(DataError, match=r"F\.bin: cannot be read: there is no such file"):
        apnet.load_model(tmp_path / "F.xml")
    weights = xml.with_suffix(".bin").read_bytes()
    (tmp_path / "F.bin").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(CheckpointError, match="no OpenVINO network, or a damaged one"):
        apnet.load_model(tmp_path / "F.xml")
    (tmp_path / "F.xml").write_text("<html></html>")
    with pytest.raises(CheckpointError, match="no OpenVINO network, or a damaged one"):
        apnet.load_model(tmp_path / "F.xml")


@pytest.mark.slow
@ONNX
def test_another_input_without_the_mirror_image(run, checkpoint, people, tmp_path):
    """RGB / 255 of twice the size: the graph resizes as the package does."""
    out = tmp_path / "new" / "F.onnx"
    choices = ("--pixels", "unit", "--input-size", "64x32", "--no-flip", "--images", people)
    code, said, err = run("export", checkpoint, "--to", "onnx", "--out", out, *choices, "--json")
    assert code == 0, err
    found = json.loads(said)
    assert found["gate"]["passed"]
    assert found["gate"]["difference"] <= found["gate"]["limits"]["difference"]
    assert (found["metadata"]["mirror"], found["metadata"]["input_size"]) == (False, [64, 32])
    assert (found["bytes"], list(out.parent.iterdir())) == (out.stat().st_size, [out])
    import onnxruntime

    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["batch", 3, 64, 32]
    images = crops(6, (64, 32))
    given = images.transpose(0, 3, 1, 2).astype(np.float32) / 255
    (features,) = session.run(None, {"images": given})
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    original = apnet.load_model(checkpoint)
    expected = original.embed(images, flip=False).features
    np.testing.assert_allclose(features, expected, atol=5e-3)
    file = apnet.load_model(out)
    assert file.fingerprint == found["metadata"]["fingerprint"]
    assert file.image_size == (64, 32)
    assert file.fingerprint != original.fingerprint, "the features are of other pixels"
    for flip in (True, False):
        given = file.embed(images, flip=flip).features
        expected = original.embed(images, flip=flip).features
        np.testing.assert_allclose(given, expected, atol=5e-3)


@pytest.mark.slow
@ONNX
def test_a_spatial_pyramid(people, tmp_path):
    config = NetworkConfig(**{**TINY, "attention": "spatial", "parts": (1, 2)})
    network = seasoned(config)
    network.image_size = SIZE
    assert export(network, "onnx", tmp_path / "F.onnx", images=people).gate.passed


@pytest.mark.slow
@ONNX
@OPENVINO
@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("name", ["shipped", "apnet-c2", "apnet-s2"])
def test_the_paper_s_networks(name, to, tmp_path):
    """On synthetic people, as nothing else is named."""
    if name == "shipped":
        model = None
    else:
        config = dataclasses.replace(preset(name), image_size=(64, 32))
        model = seasoned(config)
        model.image_size = config.image_size
    done = export(model, to, tmp_path / f"F{TARGETS[to].suffix}")
    assert done.gate.passed
    assert done.gate.images == 32


def test_thresholds_of_the_shipped_network_are_in_its_metadata():
    import torch

    from apnet.exporting.describing import described
    from apnet.exporting.plan import GraphPlan

    model = apnet.load_model(device="cpu")
    size, none = model.image_size, torch.empty(0)
    said = described(model, GraphPlan("uint8", size, size, True, "float32"), none).calibration
    thresholds = list(said["false_match_rate_to_threshold"].values())
    assert len(thresholds) >= 1
    assert thresholds == sorted(thresholds)
    assert "rendered people" in said["limits"]
    for pixels, fed, flip, precision in (
        ("uint8", size, False, "float32"),
        ("uint8", (256, 128), True, "float32"),
        ("uint8", size, True, "float16"),
    ):
        plan = GraphPlan(pixels, fed, size, flip, precision)
        assert described(model, plan, none).calibration is None, "other similarities"
