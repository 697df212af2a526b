"""Pictures and boxes of a request, through the package's one gate for images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi import UploadFile
from torch import Tensor

from apnet.data.images import decode_image
from apnet.embedding.inputs import box_inputs
from apnet.errors import ConfigError, DataError
from apnet.service.limits import Limits


def crops(
    files: Sequence[UploadFile], boxes: str | None, limits: Limits, *, single: bool = False
) -> list[Tensor]:
    """Returns the pictures of a request, or the boxes of its one frame.

    Args:
        files: uploaded pictures.
        boxes: JSON, a list of [x1, y1, x2, y2] in pixels of the frame, or nothing.
        limits: on pictures and pixels.
        single: whether each picture must be one person's, so that boxes are not allowed.

    Returns:
        (3, H, W) uint8, RGB, each.

    Raises:
        ConfigError: there are none or too many, or the boxes are no such list.
        DataError: a picture or box cannot be used.
    """
    if not files or len(files) > limits.pictures:
        raise ConfigError(f"{len(files)} pictures: send 1 to {limits.pictures}")
    pictures = [_decoded(file, number, limits) for number, file in enumerate(files, start=1)]
    if boxes is None or single:
        return pictures
    if len(pictures) != 1:
        raise ConfigError("boxes belong to one frame: send one picture with them")
    frame = pictures[0].permute(1, 2, 0).contiguous().numpy()
    inputs = box_inputs(frame, _boxes(boxes, limits), bgr=False, notify=_pass)
    return [each.read() for each in inputs]


def _decoded(file: UploadFile, number: int, limits: Limits) -> Tensor:
    picture = decode_image(file.file.read(), f"picture {number}", limits.pixels)
    if 0 in picture.shape:
        raise DataError(f"picture {number}: empty; send another one")
    return picture


def _boxes(text: str, limits: Limits) -> list[list[float]]:
    try:
        boxes: Any = json.loads(text)
    except (ValueError, RecursionError):
        boxes = None
    numbers = isinstance(boxes, list) and all(
        isinstance(box, list)
        and len(box) == 4
        and all(isinstance(each, int | float) and not isinstance(each, bool) for each in box)
        and all(abs(each) < 1e9 for each in box)
        for box in boxes
    )
    if not numbers or not 1 <= len(boxes) <= limits.pictures:
        raise ConfigError(
            f"boxes must be JSON: a list of 1 to {limits.pictures} boxes [x1, y1, x2, y2] in pixels"
        )
    return [list(map(float, box)) for box in boxes]


def _pass(_: str) -> None:
    """Notes about folders do not arise: pictures come from memory."""
