"""ONNX Runtime alone embeds a picture, in a process in which torch cannot be imported."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from tiny_exports import ONNX, SIZE, crops

import apnet
from apnet.errors import ImageError
from apnet.exported.onnx_reader import OnnxReader

pytestmark = ONNX

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import numpy
from apnet.exported.onnx_reader import OnnxReader
numpy.save(sys.argv[3], OnnxReader(sys.argv[1]).embed([sys.argv[2]]))
assert not {"timm", "torchvision", "onnx", "openvino"} & sys.modules.keys()
"""


def test_without_torch(exported, people, tmp_path):
    picture, out = next(people.iterdir()), tmp_path / "f.npy"
    command = [sys.executable, "-c", WITHOUT_TORCH, exported.path, picture, out]
    subprocess.run(list(map(str, command)), check=True)
    expected = apnet.load_model(exported.path).embed(picture).features
    np.testing.assert_allclose(np.load(out), expected, atol=2e-2)  # Pillow resizes otherwise
    assert (np.load(out) * expected).sum() > 0.9999


def test_pictures_of_the_right_size_give_the_same_features(exported):
    reader = OnnxReader(str(exported.path))
    images = crops(70, SIZE)  # more than a batch
    expected = apnet.load_model(exported.path).embed(images).features
    np.testing.assert_allclose(reader.embed(images), expected, atol=1e-5)
    as_pillow = reader.embed(Image.fromarray(image) for image in images[:3])
    np.testing.assert_allclose(as_pillow, expected[:3], atol=1e-5)
    assert (reader.fingerprint, reader.image_size) == (exported.metadata.fingerprint, SIZE)
    assert reader.embed([]).shape == (0, 16)


def test_pictures_that_cannot_be_read(exported, tmp_path):
    reader = OnnxReader(exported.path)
    (tmp_path / "text.png").write_text("no picture")
    for name in ("text.png", "absent.png"):
        with pytest.raises(ImageError, match=name):
            reader.embed([tmp_path / name])
