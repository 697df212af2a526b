"""Tells sets that ``apnet data make`` rendered from the benchmarks whose layout they have.

A rendered set lies in Market-1501 layout, and some have the counts of a benchmark. Whatever name it
is loaded under, it is called ``synthetic``, so that no figure on it passes for one on photographs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apnet.data.benchmarks.market1501 import read_market1501
from apnet.data.listing import Listing
from apnet.errors import DataError
from apnet.files import is_folder, read_json

SYNTHETIC = "synthetic"
"""The name of every rendered set."""

MARKER = "settings.json"
"""The file that ``apnet data make`` writes into a set's folder first."""


@dataclass(frozen=True)
class _Marks:
    """Some of what ``apnet.synthetic`` writes into the marker; it is told by their presence."""

    name: str
    version: int
    renderer: int
    counts: dict[str, Any]
    world: dict[str, Any]


def synthetic_note(root: Path) -> str | None:
    """Returns a sentence on the origin of a rendered set, or ``None`` for any other folder.

    Args:
        root: the folder that holds the splits, or a table.
    """
    if not is_folder(root):
        return None
    try:
        marks = read_json(root / MARKER, _Marks, "")
    except DataError:  # no marker, or the file of another program
        return None
    which = f"set {marks.name}, version {marks.version}" if marks.name else "own settings"
    return f"synthetic people rendered by apnet data make ({which}); no photographs of persons"


def read_synthetic(root: Path) -> Listing:
    """Reads a set that ``apnet data make`` rendered.

    Raises:
        DataError: the folder holds none.
    """
    listing = read_market1501(root)
    if synthetic_note(listing.root) is None:
        raise DataError(
            f"{listing.root}: has no {MARKER} of apnet data make, so it is no rendered set; load "
            "it as market1501"
        )
    return listing
