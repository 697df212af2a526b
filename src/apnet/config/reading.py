"""From TOML or JSON values to validated configs, and back."""

from __future__ import annotations

import dataclasses
import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from apnet.config.assignments import loss_terms
from apnet.config.network import NetworkConfig
from apnet.config.recipe import (
    Augmentation,
    LossConfig,
    OptimiserConfig,
    Recipe,
    Sampling,
    ScheduleConfig,
)
from apnet.config.renamed import renamed
from apnet.errors import ConfigError, DataError
from apnet.files import read_text, shortened

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_C = TypeVar("_C", NetworkConfig, Recipe)

MOST_BYTES = 1 << 20
"""Bytes of the largest recipe that is read."""

_SHOWN = 2
"""Problems that an error names."""

_SECTIONS: dict[str, type[Any]] = {
    "network": NetworkConfig,
    "loss": LossConfig,
    "optimiser": OptimiserConfig,
    "schedule": ScheduleConfig,
    "sampling": Sampling,
    "augmentation": Augmentation,
}


def parse(kind: type[_C], values: Mapping[str, Any], source: str) -> _C:
    """Builds a config from plain values; a recipe's may have the names of version 0.1.

    Args:
        kind: ``Recipe`` or ``NetworkConfig``.
        values: nested mapping as TOML or JSON give it.
        source: what to name in an error, a file for instance.

    Raises:
        ConfigError: an unknown key (with the closest valid one) or a value out of range.
    """
    if kind is Recipe:
        values = renamed(values)
        if "loss" in values:
            values["loss"] = loss_terms(values["loss"])
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        by_setting: dict[tuple[Any, ...], list[Any]] = {}
        for problem in error.errors():
            by_setting.setdefault(_setting(kind, problem["loc"]), []).append(problem)
        lines = dict.fromkeys(_explain(kind, found) for found in by_setting.values())
        more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        raise ConfigError(f"{source}: " + "; ".join(list(lines)[:_SHOWN]) + more) from None


def to_dict(config: NetworkConfig | Recipe) -> dict[str, Any]:
    """Returns plain, JSON-ready values; ``parse`` reads them back."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain


def read_toml(path: Path) -> dict[str, Any]:
    """Reads a TOML file.

    Raises:
        ConfigError: the file is missing, not UTF-8 or not TOML.
    """
    try:
        return tomllib.loads(read_text(path, MOST_BYTES))
    except DataError as error:
        raise ConfigError(str(error)) from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply; write it anew") from None
    except ValueError as error:  # of TOML, and of numbers with thousands of digits
        raise ConfigError(f"{path}: not readable as TOML: {error}; correct it") from None


def _setting(kind: type[Any], place: tuple[Any, ...]) -> tuple[Any, ...]:
    """Returns the part of a place that names a setting, without the types that it may have."""
    section = place[0] if kind is Recipe and place and place[0] in _SECTIONS else None
    inner = 1 if "backbone_options" in place else 0
    return place[: inner + {None: 1, "loss": 3}.get(section, 2)]


def _explain(kind: type[Any], problems: Sequence[Any]) -> str:
    """Returns what is wrong with a setting; several problems are those of its possible types."""
    problem = problems[0]
    place = [str(part) for part in problem["loc"]]
    name = ".".join(place)
    if problem["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        valid = _field_names(kind, place[:-1])
        close = difflib.get_close_matches(place[-1], valid, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"valid here: {', '.join(valid)}"
        return f"unknown setting '{name}'; {hint}"
    if len(problems) > 1:
        name = ".".join(map(str, _setting(kind, problem["loc"])))
        return f"'{name}' cannot be {shortened(repr(problem['input']))}: {problem['msg'].lower()}"
    return f"'{name}': {problem['msg']}, got {shortened(repr(problem['input']))}"


def _field_names(kind: type[Any], place: list[str]) -> list[str]:
    for part in place:
        kind = _SECTIONS.get(part, kind)
    return [item.name for item in dataclasses.fields(kind)]
