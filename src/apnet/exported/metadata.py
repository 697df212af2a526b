"""What an exported file says about itself; the one schema for all targets. Needs no torch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from apnet.errors import CheckpointError, DataError
from apnet.files import parse_json

KEY = "apnet"
"""Name of the metadata entry in a file; its value is JSON."""

FORMAT = 1

INPUT = "images"
OUTPUT = "features"

Pixels = Literal["uint8", "unit", "normalised"]
Precision = Literal["float32", "float16", "int8"]

INTENDED_USE = (
    "Comparing crops of people by clothes and what they carry, within one site and a short time. "
    "Not for identifying or tracking people without their consent or a lawful basis, and not for "
    "deciding anything about anybody."
)

PREPROCESSING: dict[Pixels, str] = {
    "uint8": "(N, H, W, 3) uint8, RGB; normalisation is inside",
    "unit": "(N, 3, H, W) float32, RGB / 255; normalisation is inside",
    "normalised": "(N, 3, H, W) float32, RGB / 255, minus mean, divided by deviation",
}
"""What the input holds, in words."""

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class ExportMetadata:
    """The metadata of an exported file."""

    fingerprint: str
    """Of the embeddings: the network's own where the file computes the same, see ADR 80."""

    network_fingerprint: str
    """Of the network that was exported."""

    precision: Precision
    """Arithmetic of the network in the file."""

    pixels: Pixels
    """What the input holds, see ``PREPROCESSING``."""

    input_size: tuple[int, int]
    """Height and width in pixels of the input, to which pictures are resized."""

    mirror: bool
    """Whether the mirror image's feature is added inside; the output then has length 1."""

    dimensions: int
    """D, numbers per feature."""

    network: dict[str, Any]
    """The config of the network."""

    facts: dict[str, Any]
    """What the network's checkpoint notes: epoch, data set, seed."""

    calibration: dict[str, Any] | None = None
    """Thresholds and their origin, where the network's checkpoint notes them."""

    preprocessing: str = ""
    """``pixels`` and ``input_size`` in words, with mean and deviation."""

    intended_use: str = INTENDED_USE
    version: str = ""
    """Of the package that wrote the file."""

    format: int = FORMAT

    def to_json(self) -> str:
        """Returns the text that the file keeps."""
        return json.dumps(dataclasses.asdict(self))


def preprocessing(pixels: Pixels, size: tuple[int, int]) -> str:
    """Returns in words what a reader does with a picture."""
    words = f"resize to {size[0]}x{size[1]} (height x width), bilinear with antialiasing; "
    norm = f"; mean {MEAN}, deviation {DEVIATION}" if pixels == "normalised" else ""
    return words + PREPROCESSING[pixels] + norm


def derived_fingerprint(network: str, *differences: str) -> str:
    """Returns the fingerprint of embeddings that differ from the network's own in some way."""
    if not differences:
        return network
    return hashlib.sha256("\n".join((network, *differences)).encode()).hexdigest()[:16]


def read_metadata(text: str | None, path: Path) -> ExportMetadata:
    """Reads the metadata of a file.

    Args:
        text: the value of ``KEY`` in the file; ``None`` where there is none.
        path: the file, for errors.

    Raises:
        CheckpointError: there is none, it is damaged, or a newer version wrote it.
    """
    if text is None:
        raise CheckpointError(
            f"{path}: a network that 'apnet export' did not write, so its preprocessing is "
            "unknown; export the checkpoint with 'apnet export'"
        )
    remedy = "export the network again"
    try:
        form = parse_json(text, dict[str, Any], f"{path}: its metadata", remedy)
        if isinstance(form.get("format"), int) and form["format"] > FORMAT:
            raise CheckpointError(
                f"{path}: written by a newer version of apnet ({form.get('version')}); update apnet"
            )
        return parse_json(text, ExportMetadata, f"{path}: its metadata", remedy)
    except DataError as error:
        raise CheckpointError(str(error)) from None
