"""Images and heat maps, scaled down and encoded as JPEG data URIs."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from apnet.extras import require

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "PPM", "TIFF")
_CROP_SIZE = (144, 288)
_PANEL_SIZE = (112, 224)
_HEAT_SHARE = 0.6


@dataclass(frozen=True)
class Picture:
    """An image in the form in which the page embeds it.

    Attributes:
        name: the file's name, without its folder.
        uri: the data URI, or ``None`` where the file could not be read.
    """

    name: str
    uri: str | None


@dataclass(frozen=True)
class HeatMap:
    """One overlay of the attention figure.

    Attributes:
        uri: the data URI.
        peak: the map's maximum as a share (0 to 1) of the stage's.
    """

    uri: str
    peak: float


def picture(path: Path) -> Picture:
    """Returns an image file scaled down; for an unreadable file a ``Picture`` without URI.

    Only raster formats are tried: Pillow passes some others to an external interpreter.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as image:
                image.draft("RGB", _CROP_SIZE)
                return Picture(path.name, _jpeg_uri(image.convert("RGB"), _CROP_SIZE))
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        return Picture(path.name, None)


def panel_image(image: NDArray[np.uint8]) -> str:
    """Returns an (H, W, 3) uint8 RGB image as a data URI."""
    return _jpeg_uri(Image.fromarray(image), _PANEL_SIZE)


def heat_maps(
    image: NDArray[np.uint8], levels: Sequence[NDArray[np.floating]]
) -> tuple[HeatMap, ...]:
    """Returns a stage's maps over the grey image, on one scale from 0 to the stage's maximum.

    The common scale makes levels comparable: a level with a smaller response is darker.

    Args:
        image: (H, W, 3) uint8, RGB.
        levels: (h, w) maps of the stage, not negative.

    Raises:
        MissingExtraError: matplotlib, for its colour map magma, is not installed.
    """
    ceiling = max(float(level.max()) for level in levels)
    shares = [level / ceiling if ceiling > 0 else np.zeros(level.shape) for level in levels]
    return tuple(HeatMap(_overlay(image, share), float(share.max())) for share in shares)


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
    """Returns nine colours from 0 to the stage's maximum, as ``#rrggbb``.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    magma = require("matplotlib", "report").colormaps["magma"]
    rows = magma(np.linspace(0, 1, 9), bytes=True)[:, :3]  # (9, 4) RGBA -> (9, 3) RGB
    return tuple("#" + bytes(row).hex() for row in rows)
