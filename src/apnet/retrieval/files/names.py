"""Which arrays of a feature file are the features, identities, cameras and paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from apnet.errors import ConfigError, DataError

Part = Literal["query", "gallery"]
"""A half of a file that holds the queries and the gallery."""

PARTS: tuple[Part, ...] = ("query", "gallery")

ALIASES: Mapping[str, tuple[str, ...]] = {
    "features": ("features", "feature", "feats", "feat", "f", "embeddings"),
    "pids": ("pids", "pid", "labels", "label", "ids"),
    "camids": ("camids", "camid", "cams", "cam", "cameras"),
    "paths": ("paths", "path", "names", "files", "image_paths"),
}
"""The names under which each array is found. In a file with both halves each begins with
``query_`` or ``gallery_``, or lies in a group of that name."""

REQUIRED = ("features", "pids")

Names = Mapping[str, str]
"""Names in a file by what they are, such as ``{"features": "feat"}``."""

_PREFIXES: Mapping[str, Part | None] = {
    "": None,
    **{f"{part}{mark}": part for part in PARTS for mark in "_/"},
}
_MOST = 12


def check_names(names: Names) -> None:
    """Checks the left-hand side of names that a user gives.

    Raises:
        ConfigError: one is not a key of ``ALIASES``, or its name is no text.
    """
    for key, name in names.items():
        if key not in ALIASES or not isinstance(name, str):
            raise ConfigError(
                f"names: '{key}={name}' is not known; give names of the file for "
                f"{', '.join(ALIASES)}, such as features=feat"
            )


def choose_arrays(
    path: Path, held: Sequence[str], part: Part | None, names: Names
) -> dict[str, str]:
    """Returns the names of a file's arrays by what they are.

    Args:
        path: of the file, for errors.
        held: the names of its arrays.
        part: the half that is wanted of a file with both; of another file, its only set is taken.
        names: that the user gives; each is looked up as it is, and with the half in front.

    Raises:
        DataError: an array is missing, or it is not clear which one is meant.
    """
    prefixes = parts_held(path, held, names)
    if part is None and None not in prefixes and len(prefixes) == 2:
        raise DataError(
            f"{path}: holds the queries and the gallery; say which with part='query' or "
            "part='gallery', or score the file alone: apnet score FILE"
        )
    if not prefixes:
        raise _missing(path, held, names.get("features", "features"), "features")
    fitting = prefixes.get(part, prefixes.get(None)) if part else next(iter(prefixes.values()))
    if fitting is None:
        other = next(iter(prefixes))
        raise DataError(f"{path}: holds the {other} alone; give the file of the {part}")
    found = {key: _find(path, held, key, fitting, names) for key in ALIASES}
    for key in (*REQUIRED, *names):
        if found[key] is None:
            raise _missing(path, held, names.get(key, fitting + key), key)
    return {key: name for key, name in found.items() if name is not None}


def parts_held(path: Path, held: Sequence[str], names: Names) -> dict[Part | None, str]:
    """Returns what stands in front of the names, by half; ``None`` is a set that is no half.

    Raises:
        DataError: several arrays may be the features.
    """
    prefixes: dict[Part | None, str] = {}
    for prefix in _PREFIXES:
        name = _find(path, held, "features", prefix, names)
        if name is not None:
            own = next((each for each in _PREFIXES if each and name.startswith(each)), "")
            prefixes.setdefault(_PREFIXES[own], own)
    return prefixes


def _find(path: Path, held: Sequence[str], key: str, prefix: str, names: Names) -> str | None:
    if key in names:
        wanted = [prefix + names[key], names[key]]
        return next((name for name in wanted if name in held), None)
    found = [prefix + alias for alias in ALIASES[key] if prefix + alias in held]
    if len(found) > 1 and found[0] != prefix + key:
        raise DataError(
            f"{path}: holds {found[0]} and {found[1]}; say which are the {key} with "
            f"names={{'{key}': '{found[0]}'}} (--names {key}={found[0]})"
        )
    return found[0] if found else None


def _missing(path: Path, held: Sequence[str], name: str, key: str) -> DataError:
    listed = ", ".join(sorted(held)[:_MOST]) or "nothing"
    more = f" and {len(held) - _MOST} more" if len(held) > _MOST else ""
    return DataError(
        f"{path}: has no array '{name}' (it holds {listed}{more}); name the array of the {key} "
        f"with names={{'{key}': ...}} (--names {key}=...), or save features, pids and camids"
    )
