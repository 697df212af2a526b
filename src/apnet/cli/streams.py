"""Standard output and standard error that fail in one way only.

Text that cannot be encoded is escaped. Remarks on standard error are dropped where they cannot be
written. A result that cannot be written to standard output is an ``OutputError``, or ``ReaderGone``
where the reader has closed the pipe, as ``head`` does.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

from apnet.errors import ApnetError


class OutputError(ApnetError):
    """Standard output cannot be written: the disk is full, or it is closed."""


class ReaderGone(BaseException):
    """The reader of standard output has closed it; there is nobody to tell anything."""


@contextlib.contextmanager
def safe_streams() -> Iterator[None]:
    """While entered, standard error never fails, and standard output escapes what it must."""
    before = sys.stderr
    sys.stderr = _Lenient(before)
    with contextlib.suppress(AttributeError, ValueError):  # a stream of the caller's own
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        yield
    finally:
        sys.stderr = before


def write_output(text: str) -> None:
    """Writes to standard output at once.

    Raises:
        ReaderGone: the reader has closed the pipe.
        OutputError: it cannot be written.
    """
    try:
        if sys.stdout is None:
            raise ValueError("it is closed")
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        raise ReaderGone from None
    except (OSError, ValueError) as error:
        _discard_output()
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"standard output cannot be written ({reason}); redirect it to another place"
        ) from None


def _discard_output() -> None:
    """Drops what is still buffered, which Python would otherwise try to write when it ends."""
    with contextlib.suppress(AttributeError, OSError, ValueError, io.UnsupportedOperation):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


class _Lenient:
    """A text stream whose writes never fail; everything else is the stream's own.

    Args:
        stream: the stream; ``None`` where the caller of this process has closed it.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
