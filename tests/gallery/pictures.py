"""Small pictures and a small network, as people who fill a gallery have them."""

import numpy as np
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


def pixels(seed, size=(40, 20)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def write_picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(seed)).save(path)
    return path
