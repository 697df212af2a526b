"""The main job: people, training, exact evaluation and a report, in one call."""

from __future__ import annotations

import contextlib
import dataclasses
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from apnet.config import Recipe
from apnet.demo.panels import attention_panels, ranked_galleries
from apnet.demo.people import demo_people
from apnet.demo.systems import TrainedSystem, TrainingDisplay, fitted, train_system, without_pyramid
from apnet.demo.wording import NOTES, summary
from apnet.evaluation import evaluate_histogram
from apnet.progress import Progress
from apnet.report import ReportPage, SystemResult, TrainingCurve, write_metrics, write_report
from apnet.results import Evaluation
from apnet.training import load_recipe, versions
from apnet.types import ReidDataset, pids_of

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
) -> DemoResult:
    """Makes or loads people, trains two networks, evaluates three systems, writes the report.

    Args:
        out: folder for everything; an interrupted demo in it goes on.
        source: ``NAME=DIR`` of the user's own set, or None for synthetic people.
        seed: seed of people, initialisation, sampling and augmentation.
        workers: processes that render.
        assignments: ``section.key=value`` changes of the recipe ``demo``.
        stage: shows the progress of rendering and embedding.
        training_display: shows the progress of training.

    Raises:
        ApnetError: the set, a setting or the folder cannot be used.
    """
    started = time.perf_counter()
    recipe = _recipe(seed, assignments)
    size = recipe.network.image_size
    with stage("people") as progress:
        dataset = demo_people(out / "people", source, size, seed, workers, progress)
    if source is not None:
        recipe = fitted(recipe, dataset, STEPS)
    with stage("colour histogram") as progress:
        begun = time.perf_counter()
        histogram = evaluate_histogram(dataset, size, progress)
        histogram_seconds = time.perf_counter() - begun
    trained: dict[str, TrainedSystem] = {}
    for key, name, settings in (
        ("pyramid", "pyramid", recipe),
        ("baseline", "no pyramid", without_pyramid(recipe)),
    ):
        with stage(f"embedding, {name}") as progress:
            trained[key] = train_system(
                name, settings, dataset, out / key, training_display, progress
            )
    systems = _systems(trained, histogram, histogram_seconds)
    page = _page(dataset, recipe.network.image_size, systems, trained, seed, started)
    write_report(out / "report.html", page)
    write_metrics(out / "metrics.json", systems, page.facts)
    return DemoResult(
        out / "report.html",
        out / "metrics.json",
        {system.name: system.evaluation for system in systems},
    )


def _recipe(seed: int, assignments: list[str]) -> Recipe:
    """Returns the recipe ``demo``; a seed among the assignments is training's own."""
    if not any(each.partition("=")[0].strip() == "seed" for each in assignments):
        assignments = [f"seed={seed}", *assignments]
    return load_recipe("demo", assignments)


def _systems(
    trained: dict[str, TrainedSystem], histogram: Evaluation, seconds: float
) -> list[SystemResult]:
    return [
        SystemResult(
            "pyramid",
            "Attention pyramid",
            "small ResNet with a channel pyramid after each stage, trained from scratch",
            trained["pyramid"].evaluation,
            trained["pyramid"].seconds,
        ),
        SystemResult(
            "baseline",
            "No pyramid",
            "the same network, data and training without attention",
            trained["baseline"].evaluation,
            trained["baseline"].seconds,
        ),
        SystemResult(
            "histogram",
            "Colour histogram",
            "colours by horizontal stripe, no learning",
            histogram,
            seconds,
        ),
    ]


def _page(
    dataset: ReidDataset,
    image_size: tuple[int, int],
    systems: list[SystemResult],
    trained: dict[str, TrainedSystem],
    seed: int,
    started: float,
) -> ReportPage:
    pyramid = trained["pyramid"]
    return ReportPage(
        title="Person re-identification with an attention pyramid",
        summary=summary(dataset, systems),
        systems=systems,
        curves=[
            TrainingCurve(
                system.name,
                [entry["epoch"] for entry in trained[system.key].history],
                [entry["loss"] for entry in trained[system.key].history],
            )
            for system in systems
            if system.key in trained
        ],
        galleries=ranked_galleries(pyramid),
        attention=attention_panels(pyramid, image_size),
        facts=_facts(dataset, seed, time.perf_counter() - started),
        notes=NOTES,
        ranked_by=systems[0].name,
        attention_method="mean feature magnitude",
    )


def _facts(dataset: ReidDataset, seed: int, seconds: float) -> list[tuple[str, str]]:
    facts = [
        ("command", " ".join(["apnet", *sys.argv[1:]])),
        ("data", f"{dataset.name}: {_counts(dataset)}"),
        ("seed", str(seed)),
        ("time", f"{seconds:.0f} s"),
        ("peak memory", _peak_memory()),
        ("machine", f"{platform.machine()}, {_cores()} cores"),
        *((f"version of {name}", version) for name, version in versions().items()),
    ]
    if dataset.notes:
        facts.append(("about the data", " ".join(dataset.notes)))
    return facts


def _counts(dataset: ReidDataset) -> str:
    splits = {"train": dataset.train, "query": dataset.query, "gallery": dataset.gallery}
    return ", ".join(
        f"{name} {len(records)} images of {len(pids_of(records))} people"
        for name, records in splits.items()
    )


def _peak_memory() -> str:
    try:
        import resource
    except ImportError:  # Windows
        return "unknown"
    unit = 1 if sys.platform == "darwin" else 1024
    peaks = [
        resource.getrusage(who).ru_maxrss * unit / 2**30
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return f"{peaks[0]:.2f} GiB (largest child process {peaks[1]:.2f} GiB)"


def _cores() -> int:
    import torch

    return torch.get_num_threads()
