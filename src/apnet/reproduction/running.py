"""One run: train, or go on, or find it finished; test; keep the figures."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from apnet.checkpoints import Checkpoint, load_checkpoint
from apnet.evaluation import break_down, evaluate_network
from apnet.progress import Progress
from apnet.reproduction.planning import Run
from apnet.reproduction.records import record_of
from apnet.training import Callback, train, versions
from apnet.types import ReidDataset

TrainingDisplay = Callable[[str, int], contextlib.AbstractContextManager[Callback]]
"""Shows the progress of a training run, given its name and its number of epochs."""
Stage = Callable[[str], contextlib.AbstractContextManager[Progress]]
"""Called with what begins now."""


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """How runs are carried out; nothing here changes what they are."""

    device: torch.device
    renderers: int
    """Processes that render people."""
    decoders: int
    """Processes that decode images; 0 decodes in this one, once where the images are small."""
    stage: Stage
    training_display: TrainingDisplay
    leads: bool = True
    """Whether this process writes, of those that ``torchrun`` started."""


def train_run(run: Run, dataset: ReidDataset, folder: Path, options: RunOptions) -> None:
    """Trains a run's network in its folder, from where it stopped.

    Raises:
        ConfigError: the folder holds another run.
        DataError: the data set has changed since the run began.
        TrainingError: the loss is not finite.
        Interrupted: the state is saved.
    """
    with options.training_display(run.name, run.recipe.epochs) as display:
        train(
            run.recipe,
            dataset,
            folder,
            device=options.device,
            workers=options.decoders,
            callbacks=[display],
            resume=True,
            evaluate=False,
        )


def evaluate_run(
    run: Run, datasets: Mapping[str, ReidDataset], folder: Path, options: RunOptions
) -> dict[str, Any]:
    """Evaluates a trained network on the run's data sets.

    Returns:
        The run's record.
    """
    checkpoint = load_checkpoint(folder)
    checkpoint.network.to(options.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    tests = {name: _test(run, checkpoint, datasets[name], options) for name in run.tests}
    return {
        "run": run.name,
        "seed": run.recipe.seed,
        "device": options.device.type,
        "versions": versions(),
        "tests": tests,
    }


def _test(
    run: Run, checkpoint: Checkpoint, dataset: ReidDataset, options: RunOptions
) -> dict[str, Any]:
    with options.stage(f"{run.name} on {dataset.name}") as progress:
        evaluation, query, gallery = evaluate_network(
            checkpoint.network,
            checkpoint.config,
            dataset,
            model=f"{run.name} sha256:{checkpoint.fingerprint}",
            seeds={"training": run.recipe.seed},
            workers=options.decoders,
            progress=progress,
        )
    return record_of(evaluation, break_down(dataset, query, gallery, evaluation.card))
