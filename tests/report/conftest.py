from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def noise_image(tmp_path: Path) -> Callable[[str], Path]:
    """Writes an image of noise, which compresses worst, at the networks' input size."""
    generator = np.random.default_rng(0)

    def write(name: str) -> Path:
        path = tmp_path / name
        pixels = generator.integers(0, 256, (384, 192, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, "PNG")
        return path

    return write
