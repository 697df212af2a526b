"""What every format of feature files is read into: named arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from apnet.errors import ApnetError, DataError
from apnet.files import shortened

Arrays = Mapping[str, NDArray[Any]]
"""Arrays by name; a fingerprint is a text array without dimensions."""

_LONGEST = 120
"""Characters of a library's own message that are shown."""


@dataclass(frozen=True)
class Contents:
    """An opened feature file: the names of its arrays, and a way to read one of them.

    Attributes:
        names: of the arrays, as the file has them.
        read: from what is wanted (``features``, ``pids``, ``camids``, ``paths`` or
            ``fingerprint``) and the name of its array to the array, which is not yet checked. The
            file must still be open.
    """

    names: tuple[str, ...]
    read: Callable[[str, str], Any]


@dataclass(frozen=True)
class Format:
    """How the arrays of a feature file are read and written."""

    open: Callable[[Path], AbstractContextManager[Contents]]
    write: Callable[[Path, Arrays], None]


@contextlib.contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Turns what a library raises while it reads a file into a ``DataError`` of one line.

    Args:
        path: of the file.
        kind: what it should be, such as ``an .npz archive``.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        yield
    except ApnetError:
        raise
    except Exception as error:  # damaged files make each library fail in many ways
        lines = str(error).strip().splitlines()
        reason = shortened(lines[0].rstrip("."), _LONGEST) if lines else type(error).__name__
        raise DataError(f"{path}: cannot be read as {kind} ({reason}); write it again") from None
