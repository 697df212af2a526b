"""What a gallery keeps of a picture: its digest, and a small copy where that is wanted."""

from __future__ import annotations

import hashlib
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from apnet.data.images import MAX_BYTES
from apnet.embedding.inputs import ImageInput
from apnet.files import read_bytes

SIZE = (96, 192)
"""Greatest width and height of a thumbnail, in pixels."""


def image_digest(image: ImageInput) -> bytes:
    """Returns the sha256 of an image: of its file's bytes, or of its pixels in memory."""
    if image.in_file:
        return hashlib.sha256(read_bytes(image.record.path, MAX_BYTES)).digest()
    pixels = image.read().contiguous().numpy()
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()


def feature_digest(feature: NDArray[np.float32]) -> bytes:
    """Returns the sha256 of a feature, for images that are known by their feature alone."""
    return hashlib.sha256(b"feature" + feature.astype("<f4").tobytes()).digest()


def open_thumbnail(data: bytes) -> Image.Image:
    """Opens a thumbnail that ``jpeg_thumbnail`` made."""
    return Image.open(io.BytesIO(data), formats=("JPEG",))


def jpeg_thumbnail(pixels: Tensor) -> bytes:
    """Returns a JPEG file's bytes of an image (3, H, W) uint8, scaled down to fit ``SIZE``."""
    image = Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
    image.thumbnail(SIZE)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
