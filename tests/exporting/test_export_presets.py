"""What trackers and servers get, loaded and fed as they do it (read in their sources)."""

import json

import numpy as np
import pytest
import torch
from tiny_exports import ONNX, crops

import apnet
from apnet.errors import ConfigError
from apnet.exporting import export


def frame_with_people():
    """A BGR frame with three people of 96 x 48 pixels beside each other, and their boxes."""
    people = crops(3, (96, 48), seed=9)
    frame = np.full((120, 200, 3), 90, np.uint8)
    boxes = np.array([[5 + 60 * index, 10, 53 + 60 * index, 106] for index in range(3)], float)
    for person, (x1, y1, x2, y2) in zip(people, boxes.astype(int), strict=True):
        frame[y1:y2, x1:x2] = person[..., ::-1]
    return frame, boxes


def directions(features):
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def expected_features(checkpoint, frame, boxes):
    model = apnet.load_model(checkpoint)
    return model.embed(frame, boxes=boxes, bgr=True, flip=False).features


@ONNX
def test_ultralytics(run, checkpoint, people, tmp_path):
    """Its encoder takes the height of the input as both sides, and passes RGB / 255."""
    import onnxruntime

    out = tmp_path / "new" / "F.onnx"
    command = ("export", checkpoint, "--for", "ultralytics", "--out", out, "--images", people)
    code, printed, err = run(*command, "--json")
    assert code == 0, err
    found = json.loads(printed)
    assert found["gate"]["passed"]
    assert found["gate"]["difference"] <= found["gate"]["limits"]["difference"]
    assert (found["metadata"]["mirror"], found["metadata"]["input_size"]) == (False, [32, 32])
    assert (found["bytes"], list(out.parent.iterdir())) == (out.stat().st_size, [out])
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape
    assert len(shape) == 4
    assert isinstance(shape[0], str), "any number of crops in one call"
    side = shape[2]
    assert isinstance(session.get_outputs()[0].shape[0], str)
    said = session.get_modelmeta().custom_metadata_map
    assert int(said["stride"]) == 32
    assert (said["imgsz"], said["channels"]) == (f"[{side}, {side}]", "3")
    frame, boxes = frame_with_people()
    batch = torch.empty(len(boxes), 3, side, side)
    for index, (x1, y1, x2, y2) in enumerate(boxes.astype(int)):
        crop = np.ascontiguousarray(frame[y1:y2, x1:x2, ::-1])
        pixels = torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 255.0
        batch[index] = torch.nn.functional.interpolate(pixels, (side, side), mode="bilinear")[0]
    outputs = session.run(None, {session.get_inputs()[0].name: batch.numpy()})
    assert len(outputs) == 1
    expected = expected_features(checkpoint, frame, boxes)
    assert (directions(outputs[0]) * expected).sum(axis=1).min() > 0.99  # resized otherwise
    assert np.argmax(directions(outputs[0]) @ expected.T, axis=1).tolist() == [0, 1, 2]


@ONNX
def test_boxmot(checkpoint, people, tmp_path):
    """It resizes to 256x128, normalises by ImageNet's numbers, and goes by the file's name."""
    import onnxruntime

    with pytest.raises(ConfigError, match=r"osnet_x0_25_apnet\.onnx"):
        export(checkpoint, out=tmp_path / "F.onnx", preset="boxmot", images=people)
    with pytest.raises(ConfigError, match="without 'veri'"):
        export(checkpoint, out=tmp_path / "osnet_x0_25_veri.onnx", preset="boxmot", images=people)
    out = tmp_path / "osnet_x0_25_apnet.onnx"
    done = export(checkpoint, out=out, preset="boxmot", images=people)
    session = onnxruntime.InferenceSession(str(done.path), providers=["CPUExecutionProvider"])
    frame, boxes = frame_with_people()
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    batch = torch.empty(len(boxes), 3, 256, 128)
    for index, (x1, y1, x2, y2) in enumerate(boxes.round().astype(int)):
        crop = np.ascontiguousarray(frame[y1:y2, x1:x2, ::-1])
        pixels = torch.from_numpy(crop).permute(2, 0, 1)[None].float()
        batch[index] = torch.nn.functional.interpolate(pixels, (256, 128), mode="bilinear")[0]
    batch = (batch / 255.0 - mean) / deviation
    names = session.get_outputs()[0].name, session.get_inputs()[0].name
    (features,) = session.run([names[0]], {names[1]: batch.numpy()})
    expected = expected_features(checkpoint, frame, boxes)
    assert (directions(features) * expected).sum(axis=1).min() > 0.99


@ONNX
@pytest.mark.slow
@pytest.mark.parametrize("preset", ["ultralytics", "boxmot"])
def test_the_shipped_network_for_trackers(preset, tmp_path):
    """It sees single pixels: a graph that rounds halves to even does not pass."""
    done = export("shipped", out=tmp_path / "osnet_x0_25.onnx", preset=preset)
    assert done.gate.cosine > 0.9995
