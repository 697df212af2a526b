"""What Python callers may pass where a path is meant."""

from __future__ import annotations

import os
from pathlib import Path

from apnet.errors import ConfigError
from apnet.files import check_path

AnyPath = str | os.PathLike[str]
"""A path as people write it."""


def as_path(value: AnyPath, name: str) -> Path:
    """Returns a path, with ``~`` expanded; it need not be there.

    Args:
        value: a ``str``, ``Path`` or other path object.
        name: of the argument, for the error.

    Raises:
        TypeError: it is of another type.
        ConfigError: it is empty.
        DataError: the system refuses to say what it is, or it is neither a file nor a folder.
    """
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} must be a path (str or Path), got {described(value)}")
    text = os.fspath(value)
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a path of text, got {described(text)}")
    if not text:
        raise ConfigError(f"{name} is empty; name a file or folder")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{text}: there is no user of this name, or no home folder; write the folder out"
        ) from None
    check_path(path)
    return path


def described(value: object) -> str:
    """Returns the type of a value, and the value itself where it is short: ``int 5``."""
    shown = repr(value)
    short = shown if len(shown) <= 60 and "\n" not in shown else ""
    return f"{type(value).__name__} {short}".strip()
