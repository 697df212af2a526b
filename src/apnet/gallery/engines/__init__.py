"""The databases that can hold a gallery, by the form of its address."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from apnet.arguments import AnyPath, as_path
from apnet.gallery.engines.engine import Engine, Nearest, Wanted

ENGINES = {
    "postgresql://": "apnet.gallery.engines.postgres",
    "postgres://": "apnet.gallery.engines.postgres",
}
"""Modules with functions ``create`` and ``connect`` by the beginning of an address; anything else
is the path of an SQLite file."""

_FILE = "apnet.gallery.engines.sqlite"

Create = Callable[[str, int], Engine]
Connect = Callable[[str], Engine]


def create_engine(place: AnyPath, feature_dim: int) -> Engine:
    """Makes a new, empty database.

    Args:
        place: path of a file that is not there yet, or ``postgresql://...``.
        feature_dim: numbers per feature.

    Raises:
        GalleryError: there is a gallery already, or it cannot be made.
    """
    module, address = _engine_of(place)
    return cast(Create, importlib.import_module(module).create)(address, feature_dim)


def connect_engine(place: AnyPath) -> Engine:
    """Opens a database that is there.

    Raises:
        GalleryError: it is not there, is no gallery, or cannot be reached.
    """
    module, address = _engine_of(place)
    return cast(Connect, importlib.import_module(module).connect)(address)


def _engine_of(place: AnyPath) -> tuple[str, str]:
    text = str(place)
    for beginning, module in ENGINES.items():
        if text.startswith(beginning):
            return module, text
    return _FILE, str(as_path(place, "gallery"))


__all__ = ["Engine", "Nearest", "Wanted", "connect_engine", "create_engine"]
