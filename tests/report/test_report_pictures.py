import base64
import io
import os

import numpy as np
import pytest
from PIL import Image

from apnet.data import images
from apnet.report.pictures import FULL_SCALE, heat_map, heat_scale, panel_image, picture

GREY = np.full((64, 32, 3), 128, np.uint8)


def decoded(uri):
    head, _, body = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body)))).astype(float)


def test_a_picture_keeps_its_shape_and_colour(tmp_path):
    path = tmp_path / "tall.png"
    pixels = np.zeros((1000, 250, 3), np.uint8)
    pixels[:500] = (200, 30, 40)
    Image.fromarray(pixels).save(path)
    shown = decoded(picture(path).uri)
    assert shown.shape == (288, 72, 3)
    np.testing.assert_allclose(shown[72, 36], (200, 30, 40), atol=6)
    np.testing.assert_allclose(shown[216, 36], 0, atol=6)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_every_colour_mode_is_shown(tmp_path, mode):
    path = tmp_path / "image.tiff"
    Image.new(mode, (20, 40)).save(path)
    assert decoded(picture(path).uri).shape == (40, 20, 3)


@pytest.mark.parametrize("content", [b"", b"text", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_a_file_that_is_no_picture_is_reported_not_raised(tmp_path, content):
    path = tmp_path / "not.jpg"
    path.write_bytes(content)
    assert picture(path).uri is None


def test_only_common_formats_are_tried(tmp_path):
    image = Image.new("RGB", (20, 40))
    image.save(tmp_path / "image.eps")  # Pillow would call an outside interpreter to open this
    image.save(tmp_path / "image.pcx")
    for name in ("image.eps", "image.pcx"):
        assert picture(tmp_path / name).uri is None


def test_truncated_missing_and_folder_are_reported(tmp_path, noise_image):
    whole = noise_image("a.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    for name in ("half.png", "absent.png", "."):
        assert picture(tmp_path / name).uri is None


def test_a_decompression_bomb_is_not_opened(noise_image, monkeypatch):
    path = noise_image("a.png")  # 73,728 pixels
    assert picture(path).uri is not None
    monkeypatch.setattr(images, "MAX_PIXELS", 50_000)
    assert picture(path).uri is None


@pytest.mark.parametrize("name", ["image.gif", "image.ppm"])
def test_formats_that_no_other_command_reads_are_not_shown(tmp_path, name):
    Image.new("RGB", (20, 40)).save(tmp_path / name)
    assert picture(tmp_path / name).uri is None


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert picture(tmp_path / "pipe.jpg").uri is None


def test_all_maps_have_one_scale():
    weak, mean, full, beyond = (
        decoded(heat_map(GREY, np.full((4, 2), share))).mean()
        for share in (0.25, 1, FULL_SCALE, 2 * FULL_SCALE)
    )
    assert weak + 10 < mean < full - 30
    assert full == beyond


def test_a_map_lights_up_where_it_is_large():
    heat = np.zeros((8, 4))
    heat[:2] = 3
    shown = decoded(heat_map(GREY, heat))
    assert shown[:8].mean() > shown[32:].mean() + 60


def test_a_map_without_response_is_dark():
    assert decoded(heat_map(GREY, np.zeros((8, 4)))).max() < 0.4 * 128 + 8


def test_overlay_and_image_have_one_shape():
    image = np.zeros((384, 192, 3), np.uint8)
    assert decoded(panel_image(image)).shape == (224, 112, 3)
    assert decoded(heat_map(image, np.ones((3, 2)))).shape == (224, 112, 3)


def test_the_scale_runs_from_dark_to_bright():
    sums = [sum(bytes.fromhex(colour[1:])) for colour in heat_scale()]
    assert len(sums) == 9
    assert sums == sorted(sums)
