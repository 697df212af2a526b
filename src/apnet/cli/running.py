"""``apnet train``: puts recipe, data, run folder and display together."""

from __future__ import annotations

from pathlib import Path

from apnet.cli.device import prepared_device
from apnet.cli.terminal import leads, say
from apnet.cli.training_display import TrainingDisplay
from apnet.config import Recipe
from apnet.data import load_dataset, load_source
from apnet.devices import choose_precision
from apnet.evaluation import Protocol, evaluate_network
from apnet.model import APNet
from apnet.results import Evaluation
from apnet.retrieval import format_evaluation
from apnet.training import (
    Listeners,
    RunFolder,
    TensorBoard,
    load_recipe,
    train,
)
from apnet.types import ReidDataset


def begin_run(
    name: str,
    assignments: list[str],
    source: str,
    out: Path,
    device: str,
    workers: int,
    tensorboard: bool,
) -> None:
    """Starts a run in a new folder."""
    recipe = load_recipe(name, assignments)
    dataset = load_source(source)
    run = RunFolder(out)
    if leads():
        run.begin(recipe, {"name": dataset.name, "root": str(dataset.root.resolve())})
    _run(recipe, dataset, run, device, workers, tensorboard, resume=False)


def continue_run(folder: Path, device: str, workers: int, tensorboard: bool) -> None:
    """Goes on with a run from its saved state, or from the start where none was saved yet."""
    run = RunFolder(folder)
    recipe, data = run.recipe(), run.data()
    dataset = load_dataset(data["name"], Path(data["root"]))
    _run(recipe, dataset, run, device, workers, tensorboard, resume=run.state.exists())


def _run(
    recipe: Recipe,
    dataset: ReidDataset,
    run: RunFolder,
    device_name: str,
    workers: int,
    tensorboard: bool,
    *,
    resume: bool,
) -> None:
    device = prepared_device(device_name)
    last: list[Evaluation] = []

    def evaluate(network: APNet) -> Evaluation:
        precision = choose_precision(recipe.precision, device)
        result, _, _ = evaluate_network(
            network,
            recipe.network,
            dataset,
            protocol=Protocol(precision=precision),
            model=str(run.last),
            seeds={"training": recipe.seed},
            workers=workers,
        )
        last[:] = [result]
        return result

    boards = [TensorBoard(run.root / "tensorboard")] if tensorboard and leads() else []
    with TrainingDisplay("training", recipe.optimisation.epochs) as display:
        train(
            recipe,
            dataset,
            run,
            device=device,
            workers=workers,
            resume=resume,
            evaluate=evaluate if dataset.query and dataset.gallery else None,
            listener=Listeners(display, *boards),
        )
    if last and leads():
        say(format_evaluation(last[0]))
    if leads():
        say(f"weights: {run.last}")
