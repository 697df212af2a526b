"""The main job: people, first results, training, exact evaluation and a report, in one call."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from apnet.config import Recipe
from apnet.demo.facts import run_facts
from apnet.demo.pages import final_page, first_page, rows
from apnet.demo.people import SIZE, demo_people
from apnet.demo.systems import (
    NetworkResult,
    TrainingDisplay,
    evaluate_shipped,
    fitted,
    train_system,
    without_pyramid,
)
from apnet.errors import ConfigError
from apnet.evaluation import evaluate_histogram
from apnet.progress import Progress
from apnet.report import write_metrics, write_report
from apnet.results import Evaluation
from apnet.training import load_recipe
from apnet.training.initial_weights import begin_network

Stage = Callable[[str], contextlib.AbstractContextManager[Progress]]
"""Called with what begins now."""

STEPS = 700
"""Training steps on a set of the user's own: what fits into the demo's few minutes."""


@dataclasses.dataclass(frozen=True)
class DemoResult:
    """Where the report lies, and each system's figures by name."""

    report: Path
    metrics: Path
    evaluations: dict[str, Evaluation]


def run_demo(
    out: Path,
    *,
    source: str | None,
    seed: int,
    workers: int,
    assignments: list[str],
    stage: Stage,
    training_display: TrainingDisplay,
    tell: Callable[[str], None],
) -> DemoResult:
    """Makes or loads people, trains two networks, evaluates four systems, writes the report.

    A first report of what needs no training is written before training begins, unless there is a
    report already.

    Args:
        out: folder for everything; an interrupted demo in it goes on.
        source: ``NAME=DIR`` of the user's own set, or None for synthetic people.
        seed: seed of people, initialisation, sampling and augmentation.
        workers: processes that render.
        assignments: ``section.key=value`` changes of the recipe ``demo``.
        stage: shows the progress of rendering and embedding.
        training_display: shows the progress of training.
        tell: told where the first report lies.

    Raises:
        ApnetError: the set, a setting or the folder cannot be used.
    """
    started = time.perf_counter()
    report = out / "report.html"
    recipe = _recipe(seed, assignments)
    for each in (recipe, without_pyramid(recipe)):
        begin_network(each.network, each.weights)  # what cannot be built is said before any work
    with stage("people") as progress:
        dataset = demo_people(out / "people", source, seed, workers, progress)
    if source is not None:
        recipe = fitted(recipe, load_recipe("demo"), dataset, STEPS)
    with stage("colour histogram") as progress:
        begun = time.perf_counter()
        histogram = evaluate_histogram(dataset, SIZE, progress)
        histogram_seconds = time.perf_counter() - begun
    with stage("embedding, shipped network") as progress:
        networks: dict[str, NetworkResult] = {"shipped": evaluate_shipped(dataset, progress)}
    if not report.exists():
        facts = run_facts(dataset, seed, time.perf_counter() - started)
        systems = rows(networks, histogram, histogram_seconds)
        write_report(report, first_page(dataset, systems, networks["shipped"], facts))
        tell(f"first results: {report}; training goes on")
    for key, name, settings in (
        ("pyramid", "pyramid", recipe),
        ("baseline", "no pyramid", without_pyramid(recipe)),
    ):
        with stage(f"embedding, {name}") as progress:
            networks[key] = train_system(
                name, settings, dataset, out / key, training_display, progress
            )
    systems = rows(networks, histogram, histogram_seconds)
    facts = run_facts(dataset, seed, time.perf_counter() - started)
    write_report(report, final_page(dataset, systems, networks, facts))
    write_metrics(out / "metrics.json", systems, facts)
    return DemoResult(
        report, out / "metrics.json", {system.name: system.evaluation for system in systems}
    )


def _recipe(seed: int, assignments: list[str]) -> Recipe:
    """Returns the recipe ``demo``; a seed among the assignments is training's own."""
    if not any(each.partition("=")[0].strip() == "seed" for each in assignments):
        assignments = [f"seed={seed}", *assignments]
    recipe = load_recipe("demo", assignments)
    if recipe.evaluate_every:
        raise ConfigError(
            f"evaluate_every = {recipe.evaluate_every} has no effect on the demo, which evaluates "
            "at its end; leave it out"
        )
    return recipe
