"""The table of an experiment: figures of all finished runs beside the paper's, with their cards."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apnet.reproduction.definitions import Experiment, System, Trial
from apnet.reproduction.planning import Plan
from apnet.reproduction.records import Record, figures_of, read_record
from apnet.reproduction.statistics import paired_p, spread

Values = dict[str, list[float]]
"""Figures as fractions, one a seed."""

_OF_THE_RUN = ("model", "seeds")
"""Fields of a card that differ from seed to seed."""


def build_table(out: Path, plan: Plan) -> dict[str, Any]:
    """Puts an experiment's figures together from the records in its folder.

    Args:
        out: the experiment's folder.
        plan: what belongs into it.

    Returns:
        JSON-ready: ``trials``, each with ``rows``; a row has ``values`` (fractions, one a finished
        seed), ``mean``, ``deviation`` (sample standard deviation, from two seeds on), the
        ``paper``'s percentages, ``against`` (mean difference from another row and the paired
        t-test's p), and the ``protocol`` of its figures.

    Raises:
        DataError: a record is damaged.
    """
    records = {run.name: read_record(out, run.name) for run in plan.runs}
    experiment = plan.experiment
    return {
        "experiment": experiment.name,
        "title": experiment.title,
        "scale": plan.scale,
        "seeds": plan.seeds,
        "runs": len(plan.runs),
        "finished": sum(record is not None for record in records.values()),
        "figures": list(experiment.figures),
        "data": {name: source.facts() for name, source in plan.sources.items()},
        "notes": [*experiment.notes, *plan.notes],
        "trials": [_trial(plan, trial, records) for trial in experiment.trials],
    }


def _trial(plan: Plan, trial: Trial, records: Mapping[str, Record | None]) -> dict[str, Any]:
    tests = {
        system.key: {
            seed: record["tests"][trial.test]
            for seed in range(plan.seeds)
            if (record := records[plan.run_of(system, trial, seed).name]) is not None
        }
        for system in plan.experiment.systems
    }
    figures = {
        key: {seed: figures_of(test) for seed, test in by_seed.items()}
        for key, by_seed in tests.items()
    }
    return {
        "trial": trial.key,
        "train": plan.sources[trial.train].label,
        "test": plan.sources[trial.test].label,
        "rows": [
            {
                **_row(plan.experiment, system, trial, figures),
                **_signed(tests[system.key]),
                "runs": [plan.run_of(system, trial, seed).name for seed in figures[system.key]],
            }
            for system in plan.experiment.systems
        ],
    }


def _row(
    experiment: Experiment,
    system: System,
    trial: Trial,
    figures: Mapping[str, Mapping[int, Mapping[str, float]]],
) -> dict[str, Any]:
    own = figures[system.key]
    values = _by_figure(own)
    paper = experiment.paper.get(trial.key, {}).get(system.key, ())
    return {
        "system": system.key,
        "name": system.name,
        "seeds": list(own),
        "values": values,
        "mean": {key: statistics.mean(each) for key, each in values.items()},
        "deviation": {key: spread(each) for key, each in values.items()},
        "paper": dict(zip(experiment.figures, paper, strict=False)),
        "against": _against(own, system.against, figures),
    }


def _by_figure(by_seed: Mapping[int, Mapping[str, float]]) -> Values:
    values: Values = {}
    for figures in by_seed.values():
        for key, value in figures.items():
            values.setdefault(key, []).append(value)
    return values


def _against(
    own: Mapping[int, Mapping[str, float]],
    other: str | None,
    figures: Mapping[str, Mapping[int, Mapping[str, float]]],
) -> dict[str, Any] | None:
    """Compares seed by seed, over the seeds that both rows have."""
    if other is None:
        return None
    differences = _by_figure(
        {
            seed: {
                key: own[seed][key] - figures[other][seed][key]
                for key in own[seed]
                if key in figures[other][seed]
            }
            for seed in own
            if seed in figures[other]
        }
    )
    return {
        "system": other,
        "difference": {key: statistics.mean(each) for key, each in differences.items()},
        "p": {key: paired_p(each) for key, each in differences.items()},
    }


def _signed(by_seed: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the protocol that the seeds share, and each seed's weights."""
    cards = [dict(test["protocol"]) for test in by_seed.values()]
    models = [card["model"] for card in cards]
    shared = {key: value for card in cards[:1] for key, value in card.items()}
    for key in _OF_THE_RUN:
        shared.pop(key, None)
    return {"protocol": json.loads(json.dumps(shared)), "models": models}
