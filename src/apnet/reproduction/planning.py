"""From an experiment, a scale and the user's data to a list of runs, seed by seed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apnet.config import Recipe, to_dict
from apnet.data import parse_source
from apnet.errors import ConfigError
from apnet.reproduction.catalogue import EXPERIMENTS, tables_that_use
from apnet.reproduction.definitions import Experiment, System, Trial
from apnet.reproduction.scales import Scale, recipe_of, stand_in
from apnet.reproduction.sources import OwnSet, Source


@dataclass(frozen=True)
class Run:
    """One training, and the data sets that its network is tested on."""

    name: str
    """Its folder's and its result's name."""
    train: str
    tests: tuple[str, ...]
    recipe: Recipe


@dataclass(frozen=True)
class Plan:
    """What a call is going to do.

    Attributes:
        experiment: without the trials whose data are missing.
        scale: ``full``, ``small`` or ``smoke``.
        seeds: how many.
        sources: where each data set comes from.
        runs: all systems of seed 0 first, so that a table of one seed is there early.
        notes: what is missing.
    """

    experiment: Experiment
    scale: Scale
    seeds: int
    sources: Mapping[str, Source]
    runs: tuple[Run, ...]
    notes: tuple[str, ...]

    def run_of(self, system: System, trial: Trial, seed: int) -> Run:
        """Returns the run that fills a cell; systems of equal recipes share it."""
        recipe = recipe_of(self.experiment, system, trial.train, self.scale, seed)
        return next(run for run in self.runs if run.train == trial.train and run.recipe == recipe)

    def settings(self) -> dict[str, Any]:
        """Returns what two calls into one folder must agree on: all but the number of seeds."""
        recipes = {run.name: to_dict(run.recipe) for run in self.runs if run.recipe.seed == 0}
        settings: dict[str, Any] = {
            "experiment": self.experiment.name,
            "scale": self.scale,
            "data": {name: source.facts() for name, source in self.sources.items()},
            "recipes": recipes,
        }
        return json.loads(json.dumps(settings))  # type: ignore[no-any-return]


def make_plan(name: str, scale: Scale, seeds: int, data: Sequence[str]) -> Plan:
    """Plans an experiment that takes training.

    Args:
        name: one of ``EXPERIMENTS``.
        scale: ``full`` needs the real sets; the others take synthetic people where none is given.
        seeds: runs of each system, at least 1; their seeds are 0, 1, ...
        data: the user's sets, ``NAME=DIR`` each.

    Raises:
        ConfigError: a set that the experiment does not use or that is given twice, no set at all
            at full scale, or a number of seeds below 1.
    """
    experiment = EXPERIMENTS[name]
    if seeds < 1:
        raise ConfigError(f"--seeds {seeds}: give at least 1")
    own = _own_sets(experiment, data)
    wanted = list(
        dict.fromkeys(n for trial in experiment.trials for n in (trial.train, trial.test))
    )
    found = {each: own.get(each) or stand_in(each, scale) for each in wanted}
    missing = [each for each, source in found.items() if source is None]
    sources = {each: source for each, source in found.items() if source is not None}
    trials = tuple(
        trial for trial in experiment.trials if {trial.train, trial.test} <= sources.keys()
    )
    notes = tuple(_missing(each) for each in missing)
    if not trials:
        raise ConfigError("; ".join(notes) + "; or run on synthetic people with --scale small")
    experiment = dataclasses.replace(experiment, trials=trials)
    runs = [run for seed in range(seeds) for run in _runs(experiment, scale, seed)]
    return Plan(experiment, scale, seeds, sources, tuple(runs), notes)


def _runs(experiment: Experiment, scale: Scale, seed: int) -> list[Run]:
    runs: list[Run] = []
    for train in dict.fromkeys(trial.train for trial in experiment.trials):
        tests = tuple(trial.test for trial in experiment.trials if trial.train == train)
        for system in experiment.systems:
            recipe = recipe_of(experiment, system, train, scale, seed)
            if all(run.recipe != recipe or run.train != train for run in runs):
                runs.append(Run(f"{train}-{system.key}-seed{seed}", train, tests, recipe))
    return runs


def _own_sets(experiment: Experiment, data: Sequence[str]) -> dict[str, OwnSet]:
    names = {name for trial in experiment.trials for name in (trial.train, trial.test)}
    own: dict[str, OwnSet] = {}
    for text in data:
        name, root = parse_source(text)
        if name not in names:
            raise ConfigError(
                f"--data {text}: {experiment.name} uses {', '.join(sorted(names))}; leave it out"
            )
        if name in own:
            raise ConfigError(f"--data {text}: '{name}' is given twice; leave one out")
        own[name] = OwnSet(name, root)
    return own


def _missing(name: str) -> str:
    tables = ", ".join(tables_that_use(name))
    return f"no data set '{name}' is given ({tables} use it): add --data {name}=DIR"
