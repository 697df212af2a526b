"""One run: train, or go on, or find it finished; test; keep the figures."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from apnet.checkpoints import Checkpoint, load_checkpoint
from apnet.errors import ConfigError
from apnet.evaluation import break_down, evaluate_network
from apnet.progress import Progress
from apnet.reproduction.planning import Run
from apnet.reproduction.records import record_of
from apnet.training import Listener, RunFolder, train, versions
from apnet.types import ReidDataset

ListenTo = Callable[[str, int], contextlib.AbstractContextManager[Listener]]
"""Called with a run's name and its number of epochs."""
Stage = Callable[[str], contextlib.AbstractContextManager[Progress]]
"""Called with what begins now."""


@dataclasses.dataclass(frozen=True)
class Manner:
    """How runs are carried out; nothing here changes what they are."""

    device: torch.device
    renderers: int
    """Processes that render people."""
    decoders: int
    """Processes that decode images; 0 decodes in this one, once where the images are small."""
    stage: Stage
    listener: ListenTo
    leads: bool = True
    """Whether this process writes, of those that ``torchrun`` started."""


def train_run(run: Run, dataset: ReidDataset, folder: Path, manner: Manner) -> None:
    """Trains a run's network in its folder, from where it stopped.

    Raises:
        ConfigError: the folder holds another run.
        TrainingError: the loss is not finite.
        Interrupted: the state is saved.
    """
    kept = RunFolder(folder)
    if not (folder / "run.json").exists():
        if manner.leads:
            kept.begin(run.recipe, {"name": dataset.name, "root": str(dataset.root.resolve())})
    elif kept.recipe() != run.recipe:
        raise ConfigError(f"{folder}: holds a run of another recipe; choose another --out")
    with manner.listener(run.name, run.recipe.optimisation.epochs) as listener:
        train(
            run.recipe,
            dataset,
            kept,
            device=manner.device,
            workers=manner.decoders,
            resume=kept.state.exists(),
            listener=listener,
        )


def evaluate_run(
    run: Run, datasets: Mapping[str, ReidDataset], folder: Path, manner: Manner
) -> dict[str, Any]:
    """Evaluates a trained network on the run's data sets.

    Returns:
        The run's record.
    """
    checkpoint = load_checkpoint(folder)
    checkpoint.network.to(manner.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    tests = {name: _test(run, checkpoint, datasets[name], manner) for name in run.tests}
    return {
        "run": run.name,
        "seed": run.recipe.seed,
        "device": manner.device.type,
        "versions": versions(),
        "tests": tests,
    }


def _test(run: Run, checkpoint: Checkpoint, dataset: ReidDataset, manner: Manner) -> dict[str, Any]:
    with manner.stage(f"{run.name} on {dataset.name}") as progress:
        evaluation, query, gallery = evaluate_network(
            checkpoint.network,
            checkpoint.config,
            dataset,
            model=f"{run.name} sha256:{checkpoint.fingerprint}",
            seeds={"training": run.recipe.seed},
            workers=manner.decoders,
            progress=progress,
        )
    return record_of(evaluation, break_down(dataset, query, gallery, evaluation.card))
