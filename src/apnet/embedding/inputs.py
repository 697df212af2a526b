"""What can be embedded: files, folders, Pillow images, arrays, tensors, boxes of a frame."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from apnet.arguments import as_path, described
from apnet.data import read_image
from apnet.data.image_paths import list_images
from apnet.data.images import MAX_PIXELS, pixels_of
from apnet.embedding.boxes import box_array, clipped
from apnet.errors import DataError, ImageError
from apnet.types import JUNK_PID, ImageRecord

TAKEN = (
    "a path (image, folder or .csv), an ImageRecord, a Pillow image, a numpy array (H, W, 3) or "
    "(N, H, W, 3) of uint8, a torch tensor (3, H, W) or (N, 3, H, W) of uint8 or of floats from "
    "0 to 1, or a list of these"
)

_NOWHERE = Path()


@dataclass(frozen=True)
class ImageInput:
    """An image to embed."""

    record: ImageRecord
    """Its file, identity and camera; the path is empty where it came from memory."""

    read: Callable[[], Tensor]
    """Returns (3, H, W) uint8, RGB."""

    @property
    def in_file(self) -> bool:
        """Whether it is read from a file."""
        return self.record.path != _NOWHERE


def image_inputs(images: Any, *, bgr: bool, notify: Callable[[str], None]) -> list[ImageInput]:
    """Returns the images that a caller named or gave, in their order.

    Args:
        images: see ``TAKEN``.
        bgr: whether numpy arrays have their channels in the order of OpenCV.
        notify: told about files in folders that are left out.

    Raises:
        TypeError: something is of another type.
        DataError: a file or folder is missing, an array has another shape, type or range, there is
            nothing to embed, or ``bgr`` is set and there is no array.
    """
    if not isinstance(images, list | tuple):
        images = [images]
    if not images:
        raise DataError(f"an empty list of images; give at least one: {TAKEN}")
    if bgr and not any(isinstance(each, np.ndarray) for each in images):
        raise DataError("bgr=True is for numpy arrays, and none was given; leave it out")
    found = [
        each
        for number, image in enumerate(images)
        for each in _expanded(image, f"image {number}", bgr, notify)
    ]
    if not found:
        raise DataError(f"an array or tensor of no images; give at least one image: {TAKEN}")
    return found


def box_inputs(
    frame: Any, boxes: Any, *, bgr: bool, notify: Callable[[str], None]
) -> list[ImageInput]:
    """Returns the crops of a frame, in the order of the boxes.

    Args:
        frame: one image, see ``TAKEN``.
        boxes: (N, 4) x1, y1, x2, y2 in pixels, x2 and y2 exclusive; they are clipped to the frame
            and widened to whole pixels. N may be 0.
        bgr: as for ``image_inputs``.
        notify: as for ``image_inputs``.

    Raises:
        TypeError: the frame is of another type.
        DataError: the frame is not one image; the boxes have another shape or are not finite; a box
            has no area, or lies outside the frame.
    """
    pixels = frame_pixels(frame, bgr=bgr, notify=notify)
    height, width = pixels.shape[1:]
    areas = [clipped(number, box, height, width) for number, box in enumerate(box_array(boxes))]
    return [_in_memory(pixels[:, top:bottom, left:right]) for left, top, right, bottom in areas]


def frame_pixels(frame: Any, *, bgr: bool, notify: Callable[[str], None]) -> Tensor:
    """Returns the pixels of one image, (3, H, W) uint8, RGB.

    Args:
        frame: one image, see ``TAKEN``.
        bgr: as for ``image_inputs``.
        notify: as for ``image_inputs``.

    Raises:
        TypeError: the frame is of another type.
        DataError: it is not one image, or cannot be used.
    """
    frames = image_inputs(frame, bgr=bgr, notify=notify)
    if len(frames) != 1:
        raise DataError(f"boxes belong to one frame, and {len(frames)} images were given")
    return frames[0].read()


def _expanded(
    image: Any, place: str, bgr: bool, notify: Callable[[str], None]
) -> Iterator[ImageInput]:
    if isinstance(image, ImageRecord):
        yield _in_file(image)
    elif isinstance(image, str | os.PathLike):
        yield from _named(as_path(image, place), notify)
    elif isinstance(image, Image.Image):
        yield _in_memory(pixels_of(image))
    elif isinstance(image, np.ndarray):
        yield from map(_in_memory, _of_array(image, place, bgr))
    elif isinstance(image, Tensor):
        yield from map(_in_memory, _of_tensor(image, place))
    else:
        raise TypeError(f"{place}: got {described(image)}; taken are {TAKEN}")


def _named(path: Path, notify: Callable[[str], None]) -> Iterator[ImageInput]:
    listing = list_images([path])
    for note in listing.notes:
        notify(note)
    yield from map(_in_file, listing.gallery)


def _in_file(record: ImageRecord) -> ImageInput:
    return ImageInput(record, lambda: read_image(record.path))


def _in_memory(pixels: Tensor) -> ImageInput:
    return ImageInput(ImageRecord(_NOWHERE, JUNK_PID), lambda: pixels)


def _of_array(array: np.ndarray, place: str, bgr: bool) -> Iterator[Tensor]:
    shape = "x".join(map(str, array.shape))
    taken = "taken are arrays (H, W, 3) or (N, H, W, 3) of uint8, RGB"
    if array.dtype != np.uint8:
        hint = _hint(array) if array.dtype.kind == "f" else "convert it with .astype(numpy.uint8)"
        raise DataError(f"{place}: an array of {array.dtype}, {shape}; {taken}; {hint}")
    if array.ndim not in (3, 4) or array.shape[-1] != 3:
        channels_first = array.ndim in (3, 4) and array.shape[-3] == 3
        order = "(1, 2, 0)" if array.ndim == 3 else "(0, 2, 3, 1)"
        hint = f"; put the channels last with .transpose{order}" if channels_first else ""
        hint = "; drop alpha with array[..., :3]" if array.shape[-1:] == (4,) else hint
        raise DataError(f"{place}: an array of shape {shape}; {taken}{hint}")
    images = array if array.ndim == 4 else array[None]
    for image in images:
        _check_pixels(image.shape[0], image.shape[1], place)
        rgb = np.ascontiguousarray(image[..., ::-1] if bgr else image)
        # a writable copy of arrays that cannot be written, which torch would warn of
        yield torch.from_numpy(rgb if rgb.flags.writeable else rgb.copy()).permute(2, 0, 1)


def _hint(array: np.ndarray) -> str:
    top = float(np.nanmax(array)) if array.size else 0.0
    if top <= 1:
        return "convert 0..1 with (array * 255).round().astype(numpy.uint8)"
    return "convert it with .round().astype(numpy.uint8)"


def _of_tensor(tensor: Tensor, place: str) -> Iterator[Tensor]:
    shape = "x".join(map(str, tensor.shape))
    taken = "taken are tensors (3, H, W) or (N, 3, H, W), RGB, of uint8 or of floats from 0 to 1"
    if tensor.ndim not in (3, 4) or tensor.shape[-3] != 3:
        channels_last = tensor.ndim in (3, 4) and tensor.shape[-1] == 3
        hint = "; put the channels first with .movedim(-1, -3)" if channels_last else ""
        raise DataError(f"{place}: a tensor of shape {shape}; {taken}{hint}")
    images = tensor.detach().cpu()
    for image in images if images.ndim == 4 else images[None]:
        _check_pixels(image.shape[1], image.shape[2], place)
        yield image if image.dtype == torch.uint8 else _from_floats(image, place, taken)


def _from_floats(image: Tensor, place: str, taken: str) -> Tensor:
    if not image.is_floating_point():
        raise DataError(f"{place}: a tensor of {image.dtype}; {taken}")
    low, high = float(image.min()), float(image.max())
    if not (low >= 0 and high <= 1):
        raise DataError(
            f"{place}: a float tensor with values from {low:g} to {high:g}; {taken}; images that "
            "are normalised already go to apnet.embed_images(network, images)"
        )
    return (image * 255).round().to(torch.uint8)


def _check_pixels(height: int, width: int, place: str) -> None:
    if not height * width:
        raise ImageError(f"{place}: {width} x {height} pixels; it is empty")
    if height * width > MAX_PIXELS:
        raise ImageError(f"{place}: {width} x {height} pixels are more than {MAX_PIXELS:,}")
