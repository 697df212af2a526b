"""Looks for what a gallery held of a person in the bytes of files."""

import contextlib
from pathlib import Path

PIECE = 16


def pieces(data):
    """Returns three parts of data, since a database may break it into pages anywhere."""
    last = len(data) - PIECE
    return [data[start : start + PIECE] for start in (0, last // 2, last)]


def found_under(folder, wanted):
    """Returns what of the wanted parts (by what they are) is in which file of a folder."""
    found = set()
    for path in Path(folder).rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # a server's files come and go
            data = path.read_bytes().rstrip(b"\0") if path.is_file() else b""
            found |= {
                (what, path.name)
                for what, parts in wanted.items()
                if any(part in data for part in parts)
            }
    return found
