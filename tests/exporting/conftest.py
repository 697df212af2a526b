"""What the tests of exports share, made once."""

import pytest
from PIL import Image
from tiny_exports import TINY, crops, seasoned

from apnet.checkpoints import save_checkpoint
from apnet.config import NetworkConfig
from apnet.exporting import export


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "tiny.safetensors"
    config = NetworkConfig(**TINY)
    save_checkpoint(path, seasoned(config), config, {"epoch": 7, "seed": 3})
    return path


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """A folder of 24 crops, larger than the network's images."""
    folder = tmp_path_factory.mktemp("crops")
    for index, crop in enumerate(crops(24, (48, 24), seed=5)):
        name = f"{index // 4 + 1:04d}_c{index % 2 + 1}s1_{index:06d}_00.png"
        Image.fromarray(crop).save(folder / name)
    return folder


@pytest.fixture(scope="session")
def exported(checkpoint, people, tmp_path_factory):
    """The ONNX file with the mirror image inside, as ``export`` returns it."""
    return export(checkpoint, "onnx", tmp_path_factory.mktemp("onnx") / "F.onnx", images=people)
