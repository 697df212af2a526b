"""Calibrations as files, signed by a digest of their content."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from apnet.arguments import AnyPath, as_path
from apnet.calibration.grid import COUNT, IMAGES, SIZES
from apnet.calibration.table import Calibration
from apnet.calibration.values import Content
from apnet.errors import CalibrationError, DataError
from apnet.files import is_file, read_json, write_text

FORMAT = 1
SUFFIX = ".calibration.json"
_REMEDY = "calibrate again with 'apnet calibrate'"


def load_calibration(path: AnyPath) -> Calibration:
    """Reads a calibration.

    Args:
        path: a file that ``apnet calibrate`` wrote.

    Raises:
        CalibrationError: it is missing, damaged, edited, or of a newer version.
    """
    file = as_path(path, "calibration")
    if not is_file(file):
        raise CalibrationError(f"{file}: no such calibration; make one with 'apnet calibrate'")
    try:
        whole = read_json(file, dict[str, Any], _REMEDY)
        number = whole.get("format")
        if isinstance(number, int) and number > FORMAT:
            raise CalibrationError(
                f"{file}: of format {number}, made by a newer version of apnet; update apnet"
            )
        if whole.get("sha256") != _digest(whole.get("calibration")):
            raise CalibrationError(
                f"{file}: damaged or edited by hand: its digest differs; {_REMEDY}"
            )
        content = read_json(file, _File, _REMEDY).calibration
    except DataError as error:
        raise CalibrationError(str(error)) from None
    _check_shapes(file, content)
    return Calibration(content)


def save_calibration(calibration: Calibration, path: AnyPath) -> None:
    """Writes a calibration atomically.

    Raises:
        DataError: it cannot be written.
    """
    content = asdict(calibration.content)
    whole = {"format": FORMAT, "sha256": _digest(content), "calibration": content}
    write_text(as_path(path, "out"), json.dumps(whole, allow_nan=False) + "\n")


@dataclass(frozen=True)
class _File:
    format: int
    sha256: str
    calibration: Content


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _check_shapes(file: Path, content: Content) -> None:
    gallery = (len(IMAGES), len(SIZES), COUNT)
    for name, shape in (
        ("fmr", (COUNT,)),
        ("fnmr", (COUNT,)),
        ("fpir", gallery),
        ("fnir", gallery),
    ):
        curve = getattr(content, name)
        for each in fields(curve):
            try:
                values = np.array(getattr(curve, each.name), np.float64)
            except (TypeError, ValueError):
                values = np.empty(0)
            if values.shape != shape or not np.isfinite(values).all() or (values < 0).any():
                raise CalibrationError(f"{file}: damaged: '{name}.{each.name}' is wrong; {_REMEDY}")
    sizes_fit = len(content.log_likelihood_ratio) == COUNT and len(content.gallery_images) == len(
        IMAGES
    )
    if (
        not sizes_fit
        or content.people < 2
        or not -1 <= content.lowest < 1
        or min(content.gallery_images) < 1
    ):
        raise CalibrationError(f"{file}: damaged: its counts are wrong; {_REMEDY}")
