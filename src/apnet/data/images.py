"""Decodes image files into RGB pixels."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from apnet.errors import DataError, ImageError
from apnet.files import read_bytes

MAX_PIXELS = 64_000_000
"""Images with more pixels are refused after reading the header, before any is decoded."""

MAX_BYTES = 512 * 2**20
"""Larger files are refused without reading them."""

_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")


def read_image(path: Path) -> Tensor:
    """Decodes one image file with Pillow.

    EXIF orientation is applied. Grey, palette and CMYK images are converted to RGB. Transparent
    pixels are composited on black. Of 16 bits per channel the upper 8 are kept. Of several frames
    the first is taken.

    Args:
        path: a JPEG, PNG, BMP, TIFF or WebP file, recognised by its content, of at most
            ``MAX_PIXELS`` pixels.

    Returns:
        (3, H, W) uint8 in RGB.

    Raises:
        ImageError: the file is missing, is not an image, or is damaged, truncated or too large.
    """
    return decode_image(_read_bytes(path), str(path))


def decode_image(data: bytes, name: str, most: int | None = None) -> Tensor:
    """Decodes the bytes of one image file as ``read_image`` does.

    Args:
        data: of a JPEG, PNG, BMP, TIFF or WebP file.
        name: what to call it in an error.
        most: pixels; ``MAX_PIXELS`` by default.

    Returns:
        (3, H, W) uint8 in RGB.

    Raises:
        ImageError: they are no image, or are damaged, truncated or too large.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as header:
            _check_size(name, header.size, most)
            return _decode(header)
    except ImageError:
        raise
    except Exception as error:  # decoders fail on damaged bytes in more ways than they document
        raise ImageError(
            f"{name}: cannot be decoded ({_reason(error)}); replace or remove the file"
        ) from None


def read_picture(path: Path) -> Image.Image:
    """Decodes one image file as ``read_image`` does, into a Pillow image of mode RGB."""
    return Image.fromarray(read_image(path).permute(1, 2, 0).numpy())


def _read_bytes(path: Path) -> bytes:
    try:
        data = read_bytes(path, MAX_BYTES)
    except DataError as error:
        raise ImageError(str(error)) from None
    if not data:
        raise ImageError(f"{path}: an empty file; replace or remove it")
    return data


def _check_size(name: str, size: tuple[int, int], most: int | None = None) -> None:
    width, height = size
    most = MAX_PIXELS if most is None else most
    if width * height > most:
        raise ImageError(f"{name}: {width} x {height} pixels are more than {most:,}; scale it down")


def pixels_of(image: Image.Image) -> Tensor:
    """Returns an opened image of Pillow's as (3, H, W) uint8 RGB, as ``read_image`` does.

    Raises:
        ImageError: it has more than ``MAX_PIXELS`` pixels, or cannot be decoded.
    """
    place = getattr(image, "filename", "") or f"{image.mode} image"
    _check_size(place, image.size)
    if not all(image.size):
        raise ImageError(f"{place}: {image.width} x {image.height} pixels; it is empty")
    try:
        return _decode(image)
    except Exception as error:  # decoders fail on damaged bytes in more ways than they document
        raise ImageError(f"{place}: cannot be decoded ({_reason(error)})") from None


def _decode(header: Image.Image) -> Tensor:
    image = ImageOps.exif_transpose(header)
    if image.mode.startswith("I;16") or (header.format == "PNG" and image.mode == "I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("32 bits per channel have no defined range")
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image.convert("RGBA"))
    pixels = np.array(image.convert("RGB"))  # (H, W, 3)
    return torch.from_numpy(pixels).permute(2, 0, 1)  # (3, H, W)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "its content is none of " + ", ".join(_FORMATS)
    return " ".join(str(error).split()) or type(error).__name__
