import numpy as np
import pytest
import torch
from PIL import Image

from apnet.checkpoints import save_checkpoint
from apnet.config import NetworkConfig
from apnet.model import build_network

CONFIG = NetworkConfig(
    backbone="resnet10t",
    backbone_options={"channels": [8, 8, 16, 16], "stem_width": 8},
    reduction=4,
    image_size=(32, 16),
)


def write_network(path, seed=0):
    torch.manual_seed(seed)
    save_checkpoint(path, build_network(CONFIG), CONFIG, {})
    return path


@pytest.fixture(scope="session")
def network_file(tmp_path_factory):
    """The checkpoint of a small network with random weights."""
    return write_network(tmp_path_factory.mktemp("network") / "tiny.safetensors")


@pytest.fixture(scope="session")
def crops(tmp_path_factory):
    """Twenty-four people of two colours each, in two cameras, in Market-1501 layout."""
    root = tmp_path_factory.mktemp("crops")
    random = np.random.default_rng(0)
    for person in range(1, 25):
        colours = random.integers(0, 256, (2, 1, 1, 3))
        for split, number in (("query", 0), ("bounding_box_test", 1), ("bounding_box_test", 2)):
            for camera in (1, 2):
                top, bottom = (
                    np.clip(colour + random.integers(-25, 25, (16, 16, 3)), 0, 255)
                    for colour in colours
                )
                name = f"{person:04d}_c{camera}s1_{number:06d}_00.png"
                (root / split).mkdir(exist_ok=True)
                pixels = np.concatenate([top, bottom]).astype(np.uint8)
                Image.fromarray(pixels).save(root / split / name)
    return root
