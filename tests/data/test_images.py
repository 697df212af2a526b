import contextlib
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from apnet.data import images, read_image
from apnet.errors import ImageError

HEIGHT, WIDTH = 12, 20


@pytest.fixture
def pixels():
    """Smooth, so that lossy formats keep it, and different along both axes and channels."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([rows * 20, columns * 12, 255 - rows * 10], axis=2).astype(np.uint8)


def as_array(image):
    assert image.dtype == torch.uint8
    return image.permute(1, 2, 0).numpy().astype(int)


def saved(path, image, **options):
    image.save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.webp"])
def test_lossless_formats(tmp_path, pixels, name):
    options = {"lossless": True} if name.endswith("webp") else {}
    path = saved(tmp_path / name, Image.fromarray(pixels), **options)
    assert np.array_equal(as_array(read_image(path)), pixels)


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "YCbCr"])
def test_jpeg(tmp_path, pixels, mode):
    path = saved(tmp_path / "a.jpg", Image.fromarray(pixels).convert(mode), quality=98)
    assert np.abs(as_array(read_image(path)) - pixels).max() < 25
    assert np.abs(as_array(read_image(path)) - pixels).mean() < 3


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_grey(tmp_path, pixels, name):
    path = saved(tmp_path / name, Image.fromarray(pixels[:, :, 1]))
    read = as_array(read_image(path))
    assert read.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(read - pixels[:, :, 1:2]).max() < 6


@pytest.mark.parametrize("mode", ["1", "P"])
def test_palettes_and_bits(tmp_path, pixels, mode):
    image = Image.fromarray(pixels).convert(mode)
    path = saved(tmp_path / "a.png", image)
    assert np.array_equal(as_array(read_image(path)), np.asarray(image.convert("RGB")))


def test_16_bits(tmp_path):
    wide = (np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) * 250).astype(np.uint16)
    for name in ("a.png", "a.tif"):
        path = saved(tmp_path / name, Image.fromarray(wide))
        assert np.array_equal(as_array(read_image(path))[:, :, 0], wide >> 8), name


def test_32_bits_are_refused(tmp_path):
    path = saved(tmp_path / "a.tif", Image.fromarray(np.zeros((4, 4), np.float32)))
    with pytest.raises(ImageError, match="32 bits"):
        read_image(path)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
def test_transparency_is_laid_over_black(tmp_path, pixels, name):
    alpha = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    alpha[:, 10:] = 255
    options = {"lossless": True, "exact": True} if name.endswith("webp") else {}
    image = Image.fromarray(np.concatenate([pixels, alpha], axis=2))
    read = as_array(read_image(saved(tmp_path / name, image, **options)))
    assert (read[:, :10] == 0).all()
    assert np.array_equal(read[:, 10:], pixels[:, 10:])


def test_transparent_colour_of_a_png(tmp_path):
    grey = np.array([[0, 5], [255, 0]], np.uint8)
    path = saved(tmp_path / "a.png", Image.fromarray(grey), transparency=255)
    assert as_array(read_image(path))[:, :, 0].tolist() == [[0, 5], [0, 0]]
    image = Image.fromarray(grey).convert("P")
    path = saved(tmp_path / "b.png", image, transparency=bytes(range(256)))
    assert as_array(read_image(path)).shape == (2, 2, 3)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_exif_orientation(tmp_path, pixels, name):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    path = saved(tmp_path / name, Image.fromarray(pixels), exif=exif, quality=98)
    expected = np.rot90(pixels, k=-1)
    read = as_array(read_image(path))
    assert read.shape == expected.shape
    assert np.abs(read - expected).mean() < 4


def test_damaged_exif_does_no_harm(tmp_path, pixels):
    path = saved(tmp_path / "a.jpg", Image.fromarray(pixels), exif=b"Exif\0\0II*\0\xff\xff\xff")
    assert read_image(path).shape == (3, HEIGHT, WIDTH)


def test_content_counts_and_not_the_suffix(tmp_path, pixels):
    path = saved(tmp_path / "a.png", Image.fromarray(pixels))
    assert np.array_equal(as_array(read_image(path.rename(tmp_path / "b.jpg"))), pixels)


@pytest.mark.parametrize("size", [(1, 1), (10_000, 20), (20, 10_000)])
def test_odd_sizes(tmp_path, size):
    path = saved(tmp_path / "a.jpg", Image.new("RGB", size, (255, 0, 0)))
    assert read_image(path).shape == (3, size[1], size[0])


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp", "a.tif", "a.webp"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
def test_truncated(tmp_path, name, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 32, 3), np.uint8)
    path = saved(tmp_path / name, Image.fromarray(noise))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ImageError, match=name) as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_gives_an_image_or_an_image_error(tmp_path, pixels, seed):
    random = np.random.default_rng(seed)
    name = ["a.jpg", "a.png", "a.bmp", "a.tif", "a.webp"][seed % 5]
    path = saved(tmp_path / name, Image.fromarray(pixels))
    data = bytearray(path.read_bytes())
    for place in random.integers(0, len(data), 8):
        data[place] = random.integers(0, 256)
    path.write_bytes(data)
    with contextlib.suppress(ImageError):
        assert read_image(path).dtype == torch.uint8


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM"])
def test_no_images(tmp_path, content):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"a\.jpg"):
        read_image(path)


def test_no_files(tmp_path):
    with pytest.raises(ImageError, match="folder"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match="no such file"):
        read_image(tmp_path / "nowhere.jpg")


def png_of_size(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b""
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        crc = struct.pack(">I", zlib.crc32(kind + data))
        chunks += struct.pack(">I", len(data)) + kind + data + crc
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(8001, 8000), (12_000, 9_000), (60_000, 60_000)])
def test_decompression_bombs_are_refused_by_their_header(tmp_path, monkeypatch, size):
    path = tmp_path / "a.png"
    path.write_bytes(png_of_size(*size))
    monkeypatch.setattr(images, "_decode", lambda _: pytest.fail("decoded"))
    with pytest.raises(ImageError, match=r"a\.png.*pixels"):
        read_image(path)


def test_large_files_are_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"0" * 100)
    monkeypatch.setattr(images, "MAX_BYTES", 99)
    with pytest.raises(ImageError, match="larger than"):
        read_image(path)
