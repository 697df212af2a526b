"""Reads feature stores: folders that ``apnet embed`` fills batch by batch.

``store.json`` describes how the features were computed; ``features.f32`` (or ``.f16``) contains
them row by row, little-endian; line i of ``rows.jsonl`` names the image of row i. A row exists once
its line ends with a line feed, so that a store stays readable if the job is killed at any moment.
``skipped.jsonl`` lists images that could not be used.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from apnet.errors import DataError
from apnet.types import Embeddings

HEADER = "store.json"
ROWS = "rows.jsonl"
SKIPPED = "skipped.jsonl"
Numbers = Literal["float16", "float32"]
_FILES: dict[Numbers, str] = {"float16": "features.f16", "float32": "features.f32"}
_FORMAT = 1
_REMEDY = "embed the images again, into another folder"


@dataclass(frozen=True)
class StoreHeader:
    """Describes how the features of a store were computed."""

    fingerprint: str
    """Fingerprint (sha256) of the network's weights."""

    image_size: tuple[int, int]
    """H and W in pixels."""

    flip: bool
    """Whether the mirror image's feature was added."""

    precision: str
    """Floating-point format in which the network ran."""

    dimensions: int
    """Length D of a feature vector."""

    numbers: Numbers = "float32"
    """Floating-point format of the stored features."""

    @property
    def features_file(self) -> str:
        """Name of the file that contains the features."""
        return _FILES[self.numbers]

    @property
    def row_bytes(self) -> int:
        """Bytes per feature vector."""
        return self.dimensions * (2 if self.numbers == "float16" else 4)

    def to_dict(self) -> dict[str, Any]:
        """Returns the content of ``store.json``."""
        return {"apnet_store": _FORMAT, **asdict(self)}


def is_store(path: Path) -> bool:
    """Returns whether a path is a folder with a store's header."""
    return (path / HEADER).is_file()


def read_header(path: Path) -> StoreHeader:
    """Reads the header of a store.

    Raises:
        DataError: there is no store, or its header is damaged or of another format.
    """
    try:
        fields = json.loads((path / HEADER).read_text(encoding="utf-8"))
        if fields.pop("apnet_store") != _FORMAT:
            raise ValueError(f"not of format {_FORMAT}")
        header = StoreHeader(**{**fields, "image_size": tuple(fields["image_size"])})
        if header.numbers not in _FILES or not 0 < int(header.dimensions) < 1 << 24:
            raise ValueError("impossible values")
    except OSError as error:
        raise DataError(f"{path / HEADER}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path / HEADER}: damaged ({error}); {_REMEDY}") from None
    return header


def load_store(path: Path) -> Embeddings:
    """Reads a store without the batch that is being written.

    Float32 features are memory-mapped, so that only the pages in use take memory. Float16 features
    are converted to float32, 4 N D bytes.

    Args:
        path: the folder.

    Raises:
        DataError: no store, an empty or a damaged one, or features that are not finite.
    """
    header = read_header(path)
    rows = read_lines(path / ROWS)
    if not rows:
        raise DataError(f"{path}: holds no features yet; run 'apnet embed' on it")
    features = _mapped(path, header, len(rows))
    try:
        return Embeddings(
            features=features if header.numbers == "float32" else features.astype(np.float32),
            pids=np.array([row["pid"] for row in rows], dtype=np.int64),
            camids=np.array([row["camid"] for row in rows], dtype=np.int64),
            paths=tuple(str(row["path"]) for row in rows),
            fingerprint=header.fingerprint,
        )
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise DataError(
            f"{path / ROWS}: a row without path, pid or camid ({error}); {_REMEDY}"
        ) from None
    except DataError as error:
        raise DataError(f"{path}: {error}; {_REMEDY}") from None


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Reads one JSON object per line; ignores a last line that has no line end yet.

    Raises:
        DataError: the file cannot be read, or a line is no JSON object.
    """
    found: list[dict[str, Any]] = []
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith("\n"):
                    break
                value = json.loads(line)
                if not isinstance(value, dict):
                    raise DataError(f"{path}, line {number}: no JSON object; {_REMEDY}")
                found.append(value)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise DataError(f"{path}, line {len(found) + 1}: damaged ({error}); {_REMEDY}") from None
    return found


def _mapped(path: Path, header: StoreHeader, rows: int) -> NDArray[np.floating]:
    file = path / header.features_file
    try:
        size = file.stat().st_size
        if size < rows * header.row_bytes:
            raise DataError(
                f"{file}: damaged: it ends after {size // header.row_bytes:,} of {rows:,} rows; "
                f"{_REMEDY}"
            )
        kind = "<f2" if header.numbers == "float16" else "<f4"
        mapped = np.memmap(file, dtype=kind, mode="r", shape=(rows, header.dimensions))
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror or error})") from None
    return mapped.view(np.ndarray)
