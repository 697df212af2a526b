"""Images and heat maps, scaled down and encoded as JPEG data URIs."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from apnet.data.images import read_picture
from apnet.errors import ImageError
from apnet.extras import require

_CROP_SIZE = (144, 288)
_PANEL_SIZE = (112, 224)
_HEAT_SHARE = 0.6

FULL_SCALE = 3
"""The multiple of a map's own mean at the bright end of the colours."""


@dataclass(frozen=True)
class Picture:
    """An image in the form in which the page embeds it.

    Attributes:
        name: the file's name, without its folder.
        uri: the data URI, or ``None`` where the file could not be read.
    """

    name: str
    uri: str | None


def picture(path: Path) -> Picture:
    """Returns an image file scaled down; for an unreadable file a ``Picture`` without URI."""
    try:
        return Picture(path.name, _jpeg_uri(read_picture(path), _CROP_SIZE))
    except ImageError:
        return Picture(path.name, None)


def panel_image(image: NDArray[np.uint8]) -> str:
    """Returns an (H, W, 3) uint8 RGB image as a data URI."""
    return _jpeg_uri(Image.fromarray(image), _PANEL_SIZE)


def heat_map(image: NDArray[np.uint8], strength: NDArray[np.floating]) -> str:
    """Returns a map over the grey image as a data URI, on the scale that all maps share.

    Args:
        image: (H, W, 3) uint8, RGB.
        strength: (h, w), in multiples of the map's own mean, not negative; from ``FULL_SCALE`` on
            the brightest colour is used.

    Raises:
        MissingExtraError: matplotlib, for its colour map magma, is not installed.
    """
    return _overlay(image, np.minimum(strength / FULL_SCALE, 1))


def _overlay(image: NDArray[np.uint8], share: NDArray[np.floating]) -> str:
    magma = require("matplotlib", "report").colormaps["magma"]
    grey = Image.fromarray(image).convert("L").convert("RGB")
    grey.thumbnail(_PANEL_SIZE)
    smooth = Image.fromarray(share.astype(np.float32)).resize(grey.size, Image.Resampling.BILINEAR)
    colours = Image.fromarray(magma(np.asarray(smooth), bytes=True)[..., :3].copy())
    return _jpeg_uri(Image.blend(grey, colours, _HEAT_SHARE), _PANEL_SIZE)


def _jpeg_uri(image: Image.Image, most: tuple[int, int]) -> str:
    image.thumbnail(most)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=78, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def heat_scale() -> tuple[str, ...]:
    """Returns nine colours from 0 to ``FULL_SCALE``, as ``#rrggbb``.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    magma = require("matplotlib", "report").colormaps["magma"]
    rows = magma(np.linspace(0, 1, 9), bytes=True)[:, :3]  # (9, 4) RGBA -> (9, 3) RGB
    return tuple("#" + bytes(row).hex() for row in rows)
