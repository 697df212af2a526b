"""The demo's networks: the shipped one, a small one with the pyramid, the same without it."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from apnet.config import Recipe
from apnet.data import PKBatches
from apnet.errors import DataError
from apnet.evaluation import evaluate_network
from apnet.model import APNet
from apnet.models import Model, load_model
from apnet.progress import Progress
from apnet.results import Evaluation
from apnet.training import Callback, RunFolder, train
from apnet.types import Embeddings, ReidDataset, labels_of, pids_of

TrainingDisplay = Callable[[str, int], contextlib.AbstractContextManager[Callback]]
"""Shows the progress of a training run, given its name and its number of epochs."""


@dataclasses.dataclass(frozen=True)
class NetworkResult:
    """A network and what it achieved on people it has never seen.

    Attributes:
        network: in evaluation mode.
        image_size: height and width of its input in pixels.
        evaluation: its figures.
        query: embeddings of the queries.
        gallery: embeddings of the gallery.
        seconds: of training; of embedding and ranking where nothing was trained.
        history: one entry per epoch; empty where nothing was trained.
    """

    network: APNet
    image_size: tuple[int, int]
    evaluation: Evaluation
    query: Embeddings
    gallery: Embeddings
    seconds: float
    history: Sequence[dict[str, float]] = ()


def without_pyramid(recipe: Recipe) -> Recipe:
    """Returns the same recipe for the same backbone with no attention (APNet-C0)."""
    network = dataclasses.replace(recipe.network, attention="none", parts=())
    return dataclasses.replace(recipe, network=network)


def fitted(recipe: Recipe, usual: Recipe, dataset: ReidDataset, steps: int) -> Recipe:
    """Fits a recipe to a set of any size: about ``steps`` steps, at most 3/5 of its people a batch.

    Epochs, schedule and batches in which the recipe differs from the ``usual`` one stay. An epoch
    ends when fewer people than a batch takes have images left; batches of everybody would end it
    with the person who has the fewest.

    Raises:
        DataError: the set has fewer than two training persons.
    """
    pids = pids_of(dataset.train)
    if len(pids) < 2:
        raise DataError(
            f"{dataset.root}: {dataset.name} has {len(pids)} training persons; training needs two"
        )
    identities = recipe.sampling.identities_per_batch
    if identities == usual.sampling.identities_per_batch:
        identities = min(identities, max(2, len(pids) * 3 // 5))
    sampling = dataclasses.replace(recipe.sampling, identities_per_batch=identities)
    if recipe.epochs != usual.epochs or recipe.schedule != usual.schedule:
        return dataclasses.replace(recipe, sampling=sampling)
    batches = PKBatches(
        labels_of(dataset.train), identities, sampling.images_per_identity, recipe.seed
    )
    epochs = max(2, round(steps / max(1, len(batches.batches(0)))))
    share = recipe.schedule.decay_every / recipe.epochs
    schedule = dataclasses.replace(recipe.schedule, decay_every=max(1, math.ceil(share * epochs)))
    return dataclasses.replace(recipe, sampling=sampling, schedule=schedule, epochs=epochs)


def evaluate_shipped(dataset: ReidDataset, progress: Progress) -> NetworkResult:
    """Evaluates the network that comes with the package.

    Raises:
        CheckpointError: this installation has no weights.
        DataError: the set has no query with a match.
    """
    begun = time.perf_counter()
    shipped = load_model(device="cpu")
    tested = _tested("shipped", shipped, dataset, {}, progress)
    return dataclasses.replace(tested, seconds=time.perf_counter() - begun)


def train_system(
    name: str,
    recipe: Recipe,
    dataset: ReidDataset,
    folder: Path,
    display: TrainingDisplay,
    progress: Progress,
) -> NetworkResult:
    """Trains (or goes on training, or finds trained) a network, and evaluates it.

    Raises:
        ConfigError: the folder holds a run of another recipe or data set.
    """
    with display(name, recipe.epochs) as callback:
        model = train(
            recipe,
            dataset,
            folder,
            device="cpu",
            callbacks=[callback],
            resume=True,
            evaluate=False,
        )
    history = RunFolder(folder).read_history()
    tested = _tested(name, model, dataset, {"training": recipe.seed}, progress)
    return dataclasses.replace(
        tested, history=history, seconds=sum(entry["seconds"] for entry in history)
    )


def _tested(
    name: str,
    model: Model,
    dataset: ReidDataset,
    seeds: dict[str, int],
    progress: Progress,
) -> NetworkResult:
    network = model.network.to(memory_format=torch.channels_last)
    evaluation, query, gallery = evaluate_network(
        network,
        model.config,
        dataset,
        model=f"{name} sha256:{model.fingerprint}",
        seeds=seeds,
        progress=progress,
    )
    return NetworkResult(network, model.config.image_size, evaluation, query, gallery, 0.0)
