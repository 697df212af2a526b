"""A small set, a small network and small pictures, as a user of the Python package has them."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

import apnet
from apnet.checkpoints import save_checkpoint
from apnet.model import build_network, preset
from market_people import write_people

SIZE = (32, 16)


@pytest.fixture(scope="session")
def people_folder(tmp_path_factory):
    """Four identities to train on and four to test on, in Market-1501 layout."""
    return write_people(tmp_path_factory.mktemp("people") / "market")


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A checkpoint of a tiny network."""
    options = {"channels": [8, 8, 16, 16], "stem_width": 8}
    config = dataclasses.replace(
        preset("apnet-c2"), backbone="resnet10t", backbone_options=options, image_size=SIZE
    )
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_checkpoint(path, build_network(config).eval(), config, {})
    return path


@pytest.fixture(scope="session")
def model(weights):
    return apnet.load_model(weights, device="cpu")


@pytest.fixture(scope="session")
def pixels():
    """(4, 40, 20, 3) uint8, RGB."""
    return np.random.default_rng(1).integers(0, 256, (4, 40, 20, 3), dtype=np.uint8)


@pytest.fixture
def crops(pixels, tmp_path):
    """The pictures as files in a folder."""
    folder = tmp_path / "crops"
    folder.mkdir()
    for index, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{index}.png")
    return folder
