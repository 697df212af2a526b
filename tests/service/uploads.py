"""Pictures of noise, as clients send them."""

import io

from PIL import Image

from gallery.pictures import pixels


def picture(seed, kind="PNG"):
    """Returns the bytes of a picture of noise."""
    buffer = io.BytesIO()
    Image.fromarray(pixels(seed)).save(buffer, kind)
    return buffer.getvalue()


def upload(*seeds):
    return [("pictures", (f"{seed}.png", picture(seed), "image/png")) for seed in seeds]
