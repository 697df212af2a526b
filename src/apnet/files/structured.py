"""The one reader of this package's own JSON files: sizes, depth, types and ranges are checked.

A file that was cut, edited by hand or made by another version gives an error that names the file,
the field and the remedy.
"""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import Any, TypeVar

from apnet.errors import DataError
from apnet.files.gate import MOST_TEXT, read_bytes

T = TypeVar("T")

_LONGEST_VALUE = 80


def open_form(kind: type[T]) -> type[T]:
    """Marks a ``TypedDict`` whose further fields are kept as they are."""
    kind.__pydantic_config__ = {"extra": "allow"}  # type: ignore[attr-defined]
    return kind


def read_json(path: Path, kind: type[T], remedy: str, most: int = MOST_TEXT) -> T:
    """Reads a JSON file.

    Args:
        path: the file.
        kind: what it holds: a ``TypedDict``, a dataclass, or another type that pydantic knows.
        remedy: what to do about a damaged file.
        most: its greatest size in bytes.

    Raises:
        DataError: it cannot be read, is no JSON, or does not hold what it should.
    """
    return parse_json(read_bytes(path, most), kind, str(path), remedy)


def parse_json(text: str | bytes, kind: type[T], place: str, remedy: str) -> T:
    """Reads a JSON text.

    Args:
        text: in UTF-8; names that are no UTF-8 are surrogates, as ``json.dumps`` writes them.
        kind: as for ``read_json``.
        place: the file, and line where there are several, for the error.
        remedy: as for ``read_json``.

    Raises:
        DataError: it is no JSON, holds a number that is not finite, is nested too deeply, or does
            not hold what it should.
    """
    try:
        value = json.loads(text, parse_float=_finite, parse_constant=_refuse_constant)
    except RecursionError:
        raise DataError(f"{place}: damaged: nested too deeply; {remedy}") from None
    except ValueError as error:  # of json, of text that is no UTF-8, or of ours
        raise DataError(f"{place}: damaged: {shortened(str(error))}; {remedy}") from None
    return checked(value, kind, place, remedy)


def checked(value: Any, kind: type[T], place: str, remedy: str) -> T:
    """Checks a value that was read already; arguments and errors are those of ``parse_json``."""
    from pydantic import ValidationError

    try:
        result: T = _adapter(kind).validate_python(value)  # type: ignore[arg-type]
    except ValidationError as error:
        raise DataError(f"{place}: damaged: {problem(error)}; {remedy}") from None
    return result


def check_format(path: Path, key: str, newest: int, remedy: str) -> None:
    """Checks the number of a JSON file's format.

    Args:
        path: the file.
        key: the field that holds the number.
        newest: the newest format that this version reads.
        remedy: as for ``read_json``.

    Raises:
        DataError: it cannot be read, has no such field, or was made by a newer version.
    """
    fields = read_json(path, dict[str, Any], remedy)
    number = fields.get(key)
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise DataError(f"{path}: damaged: '{key}' is {shortened(repr(number))}; {remedy}")
    if number > newest:
        raise DataError(
            f"{path}: of format {shortened(str(number))}, made by a newer version of apnet; this "
            f"version reads formats up to {newest}: update apnet"
        )


def problem(error: Any) -> str:
    """Returns the first problem that pydantic found, with its field and the value."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    if not field:
        return f"it is no JSON object but {shortened(repr(first['input']))}"
    if first["type"] == "missing":
        return f"it has no '{field}'"
    return f"'{field}' is {shortened(repr(first['input']))}: {first['msg'].lower()}"


def shortened(text: str, most: int = _LONGEST_VALUE) -> str:
    """Returns a value's text, cut in its middle where it is longer than ``most`` characters."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}...{text[-half:]}"


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text} is not finite")
    return value


def _refuse_constant(text: str) -> None:
    raise ValueError(f"the number {text} is not finite")


@functools.cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
