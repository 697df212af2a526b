"""A tiny set of coloured noise that a network can learn in a second."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from apnet.config import Recipe, parse
from apnet.types import ImageRecord, ReidDataset


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory) -> ReidDataset:
    root = tmp_path_factory.mktemp("tiny")
    random = np.random.default_rng(0)
    colors = random.integers(0, 256, (8, 3))

    def records(pids, images):
        made = []
        for pid in pids:
            for index in range(images):
                noise = random.integers(-30, 30, (32, 16, 3))
                pixels = np.clip(colors[pid] + noise, 0, 255).astype(np.uint8)
                path = root / f"{pid}_{index}.png"
                Image.fromarray(pixels).save(path)
                made.append(ImageRecord(path, pid, index % 2 + 1))
        return tuple(made)

    test = records(range(4, 8), 4)
    return ReidDataset("tiny", root, records(range(4), 5), test[::4], test)


@pytest.fixture
def tiny_recipe() -> Recipe:
    return parse(
        Recipe,
        {
            "network": {
                "backbone": "resnet10t",
                "backbone_options": {"channels": [8, 8, 16, 16], "stem_width": 8},
                "parts": [1, 2],
                "reduction": 4,
                "image_size": [32, 16],
            },
            "epochs": 4,
            "optimiser": {"learning_rate": 1e-3},
            "schedule": {"decay_every": 3, "warmup_epochs": 1},
            "sampling": {"identities_per_batch": 2, "images_per_identity": 2},
            "augmentation": {"pad": 2},
            "weights": "random",
            "precision": "float32",
            "evaluate_every": 2,
        },
        "tiny",
    )


@pytest.fixture
def spatial_recipe(tiny_recipe) -> Recipe:
    network = dataclasses.replace(tiny_recipe.network, attention="spatial", parts=(1,))
    return dataclasses.replace(tiny_recipe, network=network)
