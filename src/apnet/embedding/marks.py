"""What a store remembers of an image file, so that one that was replaced is found again."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from apnet.data.images import MAX_BYTES
from apnet.errors import DataError
from apnet.files import read_bytes
from apnet.retrieval.files.store import Row

_DIGEST_BYTES = 8


@dataclass(frozen=True)
class FileMark:
    """Size, time and content of a file; ``None`` where it is not known."""

    size: int | None = None
    """Bytes."""

    time: int | None = None
    """Of the last change, in nanoseconds."""

    digest: str | None = None
    """16 hexadecimal digits of the content's blake2b."""

    def with_digest(self, path: Path) -> FileMark:
        """Returns the mark with the digest of the file as it is now."""
        return replace(self, digest=digest_of(path))


def mark_of(path: Path) -> FileMark:
    """Returns size and time of a file, without opening it; nothing where it cannot be found."""
    with contextlib.suppress(OSError, ValueError):
        status = path.stat()
        return FileMark(status.st_size, status.st_mtime_ns)
    return FileMark()


def digest_of(path: Path) -> str | None:
    """Returns the digest of a file's content, ``None`` where it cannot be read."""
    with contextlib.suppress(DataError):
        data = read_bytes(path, MAX_BYTES)
        return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()
    return None


def was_replaced(row: Row, now: FileMark, *, rehash: bool) -> bool:
    """Returns whether an image's file has another content than when it was embedded.

    Size and time are compared, and the content where they differ; with ``rehash`` always the
    content. Rows without a mark, of version 0.1, and files that are gone count as they were.

    Args:
        row: of the store.
        now: the file's size and time.
        rehash: whether to read the file even where size and time are as they were.
    """
    if row.digest is None or now.size is None:
        return False
    if (row.size, row.time) == (now.size, now.time) and not rehash:
        return False
    return digest_of(Path(row.path)) not in (row.digest, None)
