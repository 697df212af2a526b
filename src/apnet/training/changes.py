"""What may change when a run is resumed, and what the data were when it began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apnet.config import Recipe, override, parse, renamed, to_dict
from apnet.data.snapshot import changes, snapshot
from apnet.data.synthetic_sets import SYNTHETIC
from apnet.errors import ConfigError, DataError
from apnet.training.recipes import check_recipe
from apnet.types import ReidDataset

MAY_CHANGE = ("epochs", "optimiser.learning_rate", "evaluate_every", "precision")
"""Settings that a run can be resumed with other values of."""

_LAYOUT = "market1501"
"""What rendered sets were called before they were told from the benchmark."""


def changed_recipe(
    recipe: Recipe, assignments: Sequence[str]
) -> tuple[Recipe, dict[str, dict[str, Any]]]:
    """Returns a run's recipe with some settings changed, and every change as old and new value.

    Args:
        recipe: that the run has had so far.
        assignments: ``section.key=value`` texts.

    Raises:
        ConfigError: a setting is unknown or out of range, or may not change.
    """
    values = renamed(override(to_dict(recipe), assignments))
    changed = parse(Recipe, values, "--resume")
    before, after = _flat(to_dict(recipe)), _flat(to_dict(changed))
    found = {
        name: {"old": before.get(name), "new": after.get(name)}
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    }
    refused = [name for name in found if name not in MAY_CHANGE]
    if refused:
        name = refused[0]
        raise ConfigError(
            f"--resume cannot change {name} (it is {found[name]['old']!r}); it takes "
            f"{', '.join(MAY_CHANGE)}; start a new run for anything else"
        )
    check_recipe(changed)
    return changed, found


def describe(datasets: Sequence[ReidDataset]) -> list[dict[str, Any]]:
    """Returns what a run folder notes of its data sets: name, root and a snapshot of each."""
    return [
        {
            "name": dataset.name,
            "root": str(dataset.root.resolve()),
            "train": snapshot(dataset),
        }
        for dataset in datasets
    ]


def check_unchanged(noted: Sequence[Mapping[str, Any]], datasets: Sequence[ReidDataset]) -> None:
    """Checks that data sets are those that a run was begun on.

    Runs of version 0.1 noted no snapshot; only names are compared then. Before 0.2, rendered sets
    were noted under the name of their layout, which is no difference.

    Raises:
        DataError: there are others, or their training images differ; the message says how.
    """
    names = [str(each["name"]) for each in noted]
    now = [dataset.name for dataset in datasets]
    if len(names) != len(now) or not all(map(_same_name, names, now)):
        raise DataError(
            f"the run was begun on {', '.join(names)}, not on {', '.join(now)}; give those again"
        )
    for before, dataset in zip(noted, datasets, strict=True):
        if "train" not in before:
            continue
        differences = changes(before["train"], snapshot(dataset))
        if differences:
            raise DataError(
                f"{dataset.root}: the training images have changed since the run began: "
                f"{'; '.join(differences)}; restore them, or start a new run"
            )


def _same_name(noted: str, name: str) -> bool:
    return noted == name or (noted, name) == (_LAYOUT, SYNTHETIC)


def _flat(values: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat.update(_flat(value, f"{place}{key}."))
        else:
            flat[f"{place}{key}"] = value
    return flat
