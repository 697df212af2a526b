"""A tiny network whose features differ, and crops of noise."""

import importlib.util

import numpy as np
import pytest
import torch

from apnet.data.transforms import normalise
from apnet.model import SpatialAttention, build_network

SIZE = (32, 16)
TINY = {
    "backbone": "resnet10t",
    "backbone_options": {"channels": [8, 8, 16, 16], "stem_width": 8},
    "reduction": 4,
    "image_size": SIZE,
}


def needs(*names):
    absent = [name for name in names if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(absent), reason=f"not installed: {', '.join(absent)}")


ONNX = needs("onnx", "onnxscript", "onnxruntime")
OPENVINO = needs("openvino")


def crops(count, size, seed=0):
    """(count, H, W, 3) uint8: people of two colours each, with some noise."""
    random = np.random.default_rng(seed)
    colours = random.integers(0, 256, (count, 2, 1, 1, 3))
    halves = np.concatenate([np.broadcast_to(half, (count, size[0] // 2, size[1], 3))
                             for half in colours.swapaxes(0, 1)], axis=1)  # fmt: skip
    noise = random.integers(-40, 40, halves.shape)
    return np.clip(halves + noise, 0, 255).astype(np.uint8)


def seasoned(config):
    """Random weights; batch norms that have seen images, so that features differ."""
    torch.manual_seed(0)
    network = build_network(config).train()
    for module in network.modules():
        if isinstance(module, SpatialAttention):
            torch.nn.init.ones_(module.score[-1].weight)
    with torch.no_grad():
        for seed in range(3):
            pixels = torch.from_numpy(crops(16, config.image_size, seed)).permute(0, 3, 1, 2)
            network(normalise(pixels))
    return network.eval()
