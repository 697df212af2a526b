"""Recipes by name (shipped with the package) or by path."""

from __future__ import annotations

import difflib
from importlib import resources
from pathlib import Path

from apnet.config import Recipe, override, parse, read_toml, to_dict
from apnet.errors import ConfigError
from apnet.model import preset


def recipe_names() -> tuple[str, ...]:
    """Returns the names of the shipped recipes."""
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def load_recipe(name: str, assignments: list[str] | None = None) -> Recipe:
    """Reads a recipe and applies overrides.

    A recipe's ``preset`` names the network that its ``[network]`` section then changes.

    Args:
        name: a shipped recipe's name, or a path that ends in ``.toml``.
        assignments: ``section.key=value`` overrides; ``preset=NAME`` is one too.

    Raises:
        ConfigError: no such recipe or preset, or a setting is unknown or out of range.
    """
    path = Path(name) if name.endswith(".toml") else _shipped(name)
    values = override(read_toml(path), assignments or [])
    base = values.pop("preset", None)
    if base is not None:
        values["network"] = {**to_dict(preset(str(base))), **values.get("network", {})}
    return parse(Recipe, values, str(path) if name.endswith(".toml") else f"recipe '{name}'")


def _shipped(name: str) -> Path:
    names = recipe_names()
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(names)}"
        raise ConfigError(f"no recipe '{name}'; {hint} A path must end in .toml")
    return _folder() / f"{name}.toml"


def _folder() -> Path:
    return Path(str(resources.files("apnet") / "recipes"))
