"""Beginning a feature store, or going on with one that was made in the same way."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from apnet.errors import ConfigError
from apnet.files import claim_folder, write_json
from apnet.retrieval.files.formats import STORE_HEADER, is_store
from apnet.retrieval.files.store import StoreHeader, read_header

_WORDS = {
    "fingerprint": "network",
    "image_size": "image size",
    "flip": "mirror image",
    "precision": "precision",
    "dimensions": "dimensions",
    "numbers": "kind of numbers",
}


def begin_store(path: Path, header: StoreHeader) -> None:
    """Writes the header of a new store, or compares that of an existing one.

    Raises:
        ConfigError: the store was made with other settings, or the folder is not a store.
        DataError: the header is damaged or cannot be written.
    """
    if is_store(path):
        check_same(path, read_header(path), header)
    else:
        check_place(path)
        write_json(path / STORE_HEADER, header.to_dict())


def check_place(path: Path) -> None:
    """Creates a folder for a new store.

    Raises:
        ConfigError: the folder contains something else.
        DataError: the folder cannot be created.
    """
    claim_folder(
        path,
        STORE_HEADER,
        "not empty, and not a feature store; name a new folder, or a file ending in .npz",
    )


def check_same(path: Path, there: StoreHeader, now: StoreHeader) -> None:
    """Checks that new features may be appended to a store.

    Args:
        path: of the store, for the message.
        there: how its features were computed.
        now: how the new ones would be.

    Raises:
        ConfigError: they were computed differently; the message says what differs.
    """
    mine = asdict(now)
    differing = [
        f"{_WORDS[name]} {_shown(value)}, now {_shown(mine[name])}"
        for name, value in asdict(there).items()
        if value != mine[name]
    ]
    if differing:
        raise ConfigError(
            f"{path}: its features were computed with other settings ({'; '.join(differing)}); "
            "use the same settings, or another folder"
        )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "added" if value else "left out"
    if isinstance(value, tuple):
        height, width = value
        return f"{height}x{width}"
    return str(value)
