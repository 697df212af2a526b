"""A few people of coloured noise in Market-1501 layout."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_people(root: Path, seed: int = 0, first: int = 1) -> Path:
    """Writes four identities to train on and four to test on, 32 x 16 pixels."""
    random = np.random.default_rng(seed)
    colors = random.integers(0, 256, (8, 3))
    for split, people in (
        ("bounding_box_train", range(4)),
        ("query", range(4, 8)),
        ("bounding_box_test", range(4, 8)),
    ):
        (root / split).mkdir(parents=True)
        for person in people:
            for index in range(4):
                noise = random.integers(-30, 30, (32, 16, 3))
                pixels = np.clip(colors[person] + noise, 0, 255).astype(np.uint8)
                name = f"{person + first:04d}_c{index % 2 + 1}s1_{index:06d}_00.png"
                Image.fromarray(pixels).save(root / split / name)
    return root
