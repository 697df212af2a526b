"""Embeds pictures with an exported ONNX file, without torch: ONNX Runtime, NumPy and Pillow.

from apnet.exported.onnx_reader import OnnxReader

reader = OnnxReader("people.onnx")
features = reader.embed(["a.jpg", "b.jpg"])  # (2, D) float32 of length 1
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from apnet.arguments import AnyPath, as_path
from apnet.errors import ImageError
from apnet.exported.metadata import DEVIATION, MEAN
from apnet.exported.onnx_file import open_onnx

_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
_BATCH = 64
_MOST_PIXELS = 64_000_000


class OnnxReader:
    """An exported ONNX file on the CPU.

    Pictures are resized by Pillow. Its pixels differ by at most one step of 8 bits from those that
    ``apnet.load_model`` resizes.

    Args:
        path: the file.

    Attributes:
        metadata: what the file says about itself.
        fingerprint: of the embeddings.
        image_size: H and W in pixels that pictures are resized to.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        DataError: the file cannot be read.
        CheckpointError: it is damaged, or not exported by this package.
    """

    def __init__(self, path: AnyPath) -> None:
        opened = open_onnx(as_path(path, "path"))
        self.metadata = opened.metadata
        self.fingerprint = self.metadata.fingerprint
        self.image_size = self.metadata.input_size
        self._run = opened.run

    def embed(
        self, images: Iterable[AnyPath | Image.Image | NDArray[np.uint8]], *, flip: bool = True
    ) -> NDArray[np.float32]:
        """Returns (N, D) features of length 1.

        Args:
            images: paths, Pillow images, or RGB arrays (H, W, 3) of uint8; one person each.
            flip: whether to add the mirror image's feature; where it is inside the file, it always
                is.

        Raises:
            ImageError: an image cannot be read.
        """
        pixels = [self._resized(image) for image in images]
        rows = [
            self._features(np.stack(pixels[first : first + _BATCH]), flip)
            for first in range(0, len(pixels), _BATCH)
        ]
        return np.concatenate(rows) if rows else np.empty((0, self.metadata.dimensions), np.float32)

    def _features(self, pixels: NDArray[np.uint8], flip: bool) -> NDArray[np.float32]:
        features = self._run(self._given(pixels))
        if flip and not self.metadata.mirror:
            features = features + self._run(self._given(pixels[:, :, ::-1]))
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        normalised: NDArray[np.float32] = features / np.maximum(lengths, 1e-12)
        return normalised

    def _given(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """(N, H, W, 3) uint8 to what the file's input holds."""
        if self.metadata.pixels == "uint8":
            return np.ascontiguousarray(pixels)
        floats = pixels.astype(np.float32) / 255
        if self.metadata.pixels == "normalised":
            floats = (floats - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
        return np.ascontiguousarray(floats.transpose(0, 3, 1, 2))

    def _resized(self, image: AnyPath | Image.Image | NDArray[np.uint8]) -> NDArray[np.uint8]:
        picture = _picture(image)
        height, width = self.image_size
        return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def _picture(image: AnyPath | Image.Image | NDArray[np.uint8]) -> Image.Image:
    if isinstance(image, np.ndarray):
        return Image.fromarray(image)
    if isinstance(image, Image.Image):
        return image.convert("RGB")
    path = Path(image)
    try:
        with Image.open(path, formats=_FORMATS) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                raise ImageError(f"{path}: more than {_MOST_PIXELS:,} pixels; scale it down")
            return ImageOps.exif_transpose(opened).convert("RGB")
    except ImageError:
        raise
    except Exception as error:  # decoders fail on damaged bytes in more ways than they document
        raise ImageError(
            f"{path}: cannot be read ({' '.join(str(error).split())}); replace or remove the file"
        ) from None
