"""Small pictures of images, from files or from memory."""

from __future__ import annotations

import io
from html import escape
from pathlib import Path

from PIL import Image

from apnet.data import read_image
from apnet.display import Html, html_picture
from apnet.embedding.inputs import ImageInput
from apnet.errors import ImageError

SIZE = (96, 192)
"""Greatest width and height in pixels."""


def file_thumbnail(path: str) -> Image.Image | None:
    """Returns an image file scaled down, ``None`` where it cannot be read any more."""
    try:
        return thumbnail(Image.fromarray(read_image(Path(path)).permute(1, 2, 0).numpy()))
    except ImageError:
        return None


def input_thumbnail(image: ImageInput) -> Image.Image | None:
    """Returns an embedded image scaled down, ``None`` where it cannot be read any more."""
    try:
        return thumbnail(Image.fromarray(image.read().permute(1, 2, 0).contiguous().numpy()))
    except ImageError:
        return None


def thumbnail(image: Image.Image) -> Image.Image:
    """Returns an image scaled, up or down, to fit ``SIZE`` with the same aspect."""
    share = min(SIZE[0] / image.width, SIZE[1] / image.height)
    size = (max(round(image.width * share), 1), max(round(image.height * share), 1))
    return image.convert("RGB").resize(size, Image.Resampling.BILINEAR)


def html_thumbnail(image: Image.Image | None, text: str) -> Html:
    """Returns an HTML image element that holds the picture itself.

    Args:
        image: the picture; ``None`` gives the text alone.
        text: what it shows, for readers who do not see it.
    """
    if image is None:
        return Html(f"<em>{escape(text)}: no picture</em>")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return html_picture(buffer.getvalue(), text, "max-height:96px;width:auto")
