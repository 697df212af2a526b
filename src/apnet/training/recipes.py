"""Recipes by name (shipped with the package) or by path."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from apnet.arguments import AnyPath, as_path, described
from apnet.config import RENAMED, Recipe, override, parse, read_toml, renamed, to_dict
from apnet.errors import ConfigError
from apnet.losses import Term, check_sampling, check_terms
from apnet.model import attention_named, preset
from apnet.naming import look_up
from apnet.training.initial_weights import trained_config
from apnet.training.optimisers import settings_of_optimiser
from apnet.training.schedules import settings_of_schedule

Settings = Mapping[str, Any] | Sequence[str]
"""``{"optimiser.name": "adamw"}``, or ``["optimiser.name=adamw"]`` as on the command line."""

_AS_THE_WEIGHTS = "weights"
"""The preset that means: the network that the recipe's ``weights`` hold."""


def recipe_names() -> tuple[str, ...]:
    """Returns the names of the shipped recipes."""
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def load_recipe(name: AnyPath, assignments: Settings | None = None) -> Recipe:
    """Reads a recipe and applies overrides; names of settings of version 0.1 are taken too.

    A recipe's ``preset`` names the network that its ``[network]`` section then changes; ``weights``
    is the network that the recipe's ``weights`` hold.

    Args:
        name: a shipped recipe's name, or a path that ends in ``.toml``.
        assignments: ``section.key=value`` overrides, or a mapping; ``preset=NAME`` is one too.

    Raises:
        TypeError: the name is neither a text nor a path.
        ConfigError: no such recipe or preset; a setting is unknown, out of range, or has no effect
            on the chosen optimiser or schedule; terms of the loss that do not go together or that
            the sampling does not serve.
        CheckpointError: ``preset = "weights"`` and the weights hold no network.
    """
    if not isinstance(name, str | os.PathLike):
        raise TypeError(f"a recipe is a name, or the path of a .toml file; got {described(name)}")
    name = os.fspath(name)
    path = as_path(name, "recipe") if name.endswith(".toml") else _shipped(name)
    values = renamed(read_toml(path))
    if not values:
        raise ConfigError(f"{path}: holds no setting; name at least a preset or [network]")
    values = renamed(override(values, as_assignments(assignments)))
    base = values.pop("preset", None)
    if base is not None:
        base = _network_of(str(base), str(values.get("weights", Recipe().weights)))
        own = values.get("network", {})
        if not isinstance(own, dict):
            raise ConfigError(f"'network' is a section, not {own!r}; set network.KEY=VALUE")
        values["network"] = {**base, **own}
    source = str(path) if name.endswith(".toml") else f"recipe '{name}'"
    recipe = parse(Recipe, values, source)
    check_recipe(recipe)
    check_effects(recipe, as_assignments(assignments))
    return recipe


def as_assignments(settings: Settings | None) -> list[str]:
    """Returns settings as ``section.key=value`` texts; values of a mapping are written as TOML.

    A mapping may nest: ``{"optimiser": {"name": "adamw"}}`` is ``{"optimiser.name": "adamw"}``.
    """
    if settings is None:
        return []
    if isinstance(settings, Mapping):
        return [text for name, value in settings.items() for text in _assignments(name, value)]
    return list(settings)


def _assignments(name: str, value: Any) -> list[str]:
    if isinstance(value, Mapping) and "." not in name:
        return [f"{name}.{key}={_toml(each)}" for key, each in value.items()]
    return [f"{name}={_toml(value)}"]


def terms_of(recipe: Recipe) -> tuple[Term, ...]:
    """Returns the terms of a recipe's loss."""
    return tuple(Term(term.name, term.weight, term.options) for term in recipe.loss)


def check_recipe(recipe: Recipe) -> None:
    """Checks the names in a recipe, and that its parts serve each other, before any work.

    Raises:
        ConfigError: they do not; the message names the setting.
    """
    attention = recipe.network.attention
    for name in (attention,) if isinstance(attention, str) else attention:
        if name not in ("none", "custom"):
            attention_named(name)
    settings_of_optimiser(recipe.optimiser.name)
    settings_of_schedule(recipe.schedule.name)
    terms = terms_of(recipe)
    check_terms(terms, num_classes=1)
    sampling = recipe.sampling
    check_sampling(terms, sampling.identities_per_batch, sampling.images_per_identity)


def check_effects(recipe: Recipe, assignments: Sequence[str]) -> None:
    """Checks that assignments have an effect on the chosen optimiser and schedule.

    Raises:
        ConfigError: the optimiser or the schedule does not read a setting.
    """
    read = {
        "optimiser": (recipe.optimiser.name, settings_of_optimiser(recipe.optimiser.name)),
        "schedule": (recipe.schedule.name, settings_of_schedule(recipe.schedule.name)),
    }
    for assignment in assignments:
        name = assignment.partition("=")[0].strip()
        section, _, key = RENAMED.get(name, name).partition(".")
        if section in read and key and key not in read[section][1]:
            chosen, settings = read[section]
            raise ConfigError(
                f"--set {assignment}: {section} '{chosen}' has no such setting; it has: "
                f"{', '.join(settings)}"
            )


def _network_of(base: str, weights: str) -> dict[str, Any]:
    if base == _AS_THE_WEIGHTS:
        return to_dict(dataclasses.replace(trained_config(weights), num_classes=0))
    return to_dict(preset(base))


def _shipped(name: str) -> Path:
    files = {found: _folder() / f"{found}.toml" for found in recipe_names()}
    try:
        return look_up("recipe", name, files)
    except ConfigError as error:
        raise ConfigError(f"{error} (a path must end in .toml)") from None


def _folder() -> Path:
    return Path(str(resources.files("apnet") / "recipes"))


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)
