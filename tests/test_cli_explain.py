"""``apnet explain`` as a user meets it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def crop(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (60, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "crop.png")
    return tmp_path / "crop.png"


def test_the_shipped_network_explains_a_pair(run, crop, tmp_path):
    code, out, _ = run("explain", crop, crop, "--out", tmp_path / "why")
    assert code == 0
    assert "cosine similarity +1.0000" in out
    names = sorted(path.name for path in (tmp_path / "why").iterdir())
    assert names == ["crop-2.explained.png", "crop.explained.png", "pair.png"]


@pytest.mark.parametrize("content", [b"no image", b""])
def test_what_is_no_image_is_refused_in_a_line(run, tmp_path, content):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(content)
    code, _, err = run("explain", bad, "--out", tmp_path / "why")
    assert code == 2
    assert err.count("\n") == 1
    assert "bad.jpg" in err
    assert not (tmp_path / "why").exists()


def test_a_missing_checkpoint_is_named(run, crop, tmp_path):
    code, _, err = run("explain", crop, "--out", tmp_path, "--checkpoint", tmp_path / "none")
    assert code == 2
    assert "none" in err
