"""The demo's three systems: the pyramid, the same network without it, the colour histogram."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import torch

from apnet.checkpoints import load_checkpoint
from apnet.config import Recipe
from apnet.data import PKBatches
from apnet.errors import ConfigError, DataError
from apnet.evaluation import evaluate_network
from apnet.model import APNet
from apnet.progress import Progress
from apnet.results import Evaluation
from apnet.training import Listener, RunFolder, train
from apnet.types import Embeddings, ReidDataset, labels_of, pids_of

ListenTo = Callable[[str, int], contextlib.AbstractContextManager[Listener]]
"""Called with a run's name and its number of epochs."""


@dataclasses.dataclass(frozen=True)
class TrainedSystem:
    """A trained network and what it achieved on people it has never seen."""

    network: APNet
    history: list[dict[str, float]]
    evaluation: Evaluation
    query: Embeddings
    gallery: Embeddings

    @property
    def seconds(self) -> float:
        """Training time, without evaluation."""
        return sum(entry["seconds"] for entry in self.history)


def without_pyramid(recipe: Recipe) -> Recipe:
    """Returns the same recipe for the same backbone with no attention (APNet-C0)."""
    network = dataclasses.replace(recipe.network, attention="none", parts=())
    return dataclasses.replace(recipe, network=network)


def fitted(recipe: Recipe, dataset: ReidDataset, steps: int) -> Recipe:
    """Fits a recipe to a set of any size: about ``steps`` steps, at most 3/5 of its people a batch.

    An epoch ends when fewer people than a batch takes have images left; batches of everybody would
    end it with the person who has the fewest.

    Raises:
        DataError: the set has fewer than two training persons.
    """
    pids = pids_of(dataset.train)
    if len(pids) < 2:
        raise DataError(
            f"{dataset.root}: {dataset.name} has {len(pids)} training persons; training needs two"
        )
    persons = min(recipe.sampling.persons, max(2, len(pids) * 3 // 5))
    sampling = dataclasses.replace(recipe.sampling, persons=persons)
    batches = PKBatches(labels_of(dataset.train), sampling.persons, sampling.images, recipe.seed)
    epochs = max(2, round(steps / max(1, len(batches.batches(0)))))
    share = recipe.optimisation.decay_every / recipe.optimisation.epochs
    optimisation = dataclasses.replace(
        recipe.optimisation, epochs=epochs, decay_every=max(1, math.ceil(share * epochs))
    )
    return dataclasses.replace(recipe, sampling=sampling, optimisation=optimisation)


def train_system(
    name: str,
    recipe: Recipe,
    dataset: ReidDataset,
    folder: Path,
    listen: ListenTo,
    progress: Progress,
) -> TrainedSystem:
    """Trains (or goes on training, or finds trained) a network, and evaluates it.

    Raises:
        ConfigError: the folder holds a run of another recipe or data set.
    """
    run = RunFolder(folder)
    data = {"name": dataset.name, "root": str(dataset.root.resolve())}
    if not (folder / "run.json").exists():
        run.begin(recipe, data)
    elif run.recipe() != recipe or run.data() != data:
        raise ConfigError(
            f"{folder}: holds a run with other settings or data; choose another --out or remove it"
        )
    epochs = recipe.optimisation.epochs
    with listen(name, epochs) as listener:
        train(
            recipe,
            dataset,
            run,
            device=torch.device("cpu"),
            resume=run.state.exists(),
            listener=listener,
        )
    checkpoint = load_checkpoint(folder)
    checkpoint.network.to(memory_format=torch.channels_last)
    evaluation, query, gallery = evaluate_network(
        checkpoint.network,
        checkpoint.config,
        dataset,
        model=f"{name} sha256:{checkpoint.fingerprint}",
        seeds={"training": recipe.seed},
        progress=progress,
    )
    return TrainedSystem(checkpoint.network, run.read_history(), evaluation, query, gallery)
