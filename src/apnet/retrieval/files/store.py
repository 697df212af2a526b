"""Reads feature stores: folders that ``apnet embed`` fills batch by batch.

``store.json`` describes how the features were computed; ``features.f32`` (or ``.f16``) contains
them row by row, little-endian; line i of ``rows.jsonl`` names the image of row i. A row exists once
its line ends with a line feed, so that a store stays readable if the job is killed at any moment.
``skipped.jsonl`` lists images that could not be used.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from annotated_types import Ge, Gt, Lt
from numpy.typing import NDArray

from apnet.errors import DataError
from apnet.files import check_format, is_file, parse_json, read_json, refusal
from apnet.retrieval.files.formats import STORE_HEADER
from apnet.types import JUNK_PID, NO_CAMERA, Embeddings

ROWS = "rows.jsonl"
SKIPPED = "skipped.jsonl"
Numbers = Literal["float16", "float32"]
Side = Annotated[int, Gt(0), Lt(1 << 16)]
_FILES: dict[Numbers, str] = {"float16": "features.f16", "float32": "features.f32"}
_FORMAT = 1
_REMEDY = "embed the images again, into another folder"


@dataclass(frozen=True)
class StoreHeader:
    """Describes how the features of a store were computed."""

    fingerprint: str
    """Fingerprint (sha256) of the network's weights."""

    image_size: tuple[Side, Side]
    """H and W in pixels."""

    flip: bool
    """Whether the mirror image's feature was added."""

    precision: str
    """Floating-point format in which the network ran."""

    dimensions: Annotated[int, Gt(0), Lt(1 << 24)]
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


@dataclass(frozen=True)
class Row:
    """One line of ``rows.jsonl``."""

    path: str
    """Of the image."""

    pid: Annotated[int, Ge(JUNK_PID), Lt(1 << 31)]
    """Its identity."""

    camid: Annotated[int, Ge(NO_CAMERA), Lt(1 << 31)]
    """Its camera."""

    size: int | None = None
    """Bytes of the file when it was embedded; ``None`` in stores of version 0.1."""

    time: int | None = None
    """When it was last changed, in nanoseconds."""

    digest: str | None = None
    """16 hexadecimal digits of its content's blake2b."""

    stale: bool = False
    """Whether the file was replaced and its new feature is not there yet; the row is not read."""


@dataclass(frozen=True)
class SkippedRow:
    """One line of ``skipped.jsonl``."""

    path: str
    """Of the image."""

    reason: str
    """Why it could not be used."""


Line = TypeVar("Line", Row, SkippedRow)


def read_header(path: Path) -> StoreHeader:
    """Reads the header of a store.

    Raises:
        DataError: there is no store, or its header is damaged or of another format.
    """
    file = path / STORE_HEADER
    check_format(file, "apnet_store", _FORMAT, _REMEDY)
    return read_json(file, StoreHeader, _REMEDY)


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
    rows = read_lines(path / ROWS, Row)
    if not rows:
        raise DataError(f"{path}: holds no features yet; run 'apnet embed' on it")
    features = _mapped(path, header, len(rows))
    if any(row.stale for row in rows):
        features = features[[index for index, row in enumerate(rows) if not row.stale]]
        rows = [row for row in rows if not row.stale]
    try:
        return Embeddings(
            features=features if header.numbers == "float32" else features.astype(np.float32),
            pids=np.array([row.pid for row in rows], dtype=np.int64),
            camids=np.array([row.camid for row in rows], dtype=np.int64),
            paths=tuple(row.path for row in rows),
            fingerprint=header.fingerprint,
        )
    except DataError as error:
        raise DataError(f"{path}: {error}; {_REMEDY}") from None


def read_lines(path: Path, kind: type[Line]) -> list[Line]:
    """Reads one JSON object per line; ignores a last line that has no line end yet.

    Raises:
        DataError: the file cannot be read, or a line is no row.
    """
    found: list[Line] = []
    if not is_file(path):
        return found
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    break
                found.append(parse_json(line, kind, f"{path}, line {number}", _REMEDY))
    except OSError as error:
        raise refusal(path, error) from None
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
