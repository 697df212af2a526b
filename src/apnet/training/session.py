"""What one training run holds together while it goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from apnet.config import CUSTOM, NetworkConfig, Recipe
from apnet.data import DecodedCache, PKBatches
from apnet.data.mixing import TrainingSet, mix
from apnet.devices import Precision
from apnet.losses import LOSSES, Objective, Term, build_objective, check_sampling
from apnet.model import APNet
from apnet.training.averaging import AveragedNetwork
from apnet.training.callbacks import Callback, NoCallback
from apnet.training.freezing import Freezing
from apnet.training.initial_weights import Transfer, begin_network
from apnet.training.optimisers import build_optimiser
from apnet.training.own_parts import OwnParts
from apnet.training.processes import Processes
from apnet.training.recipes import terms_of
from apnet.training.run_folder import RunFolder
from apnet.training.state import RunProgress
from apnet.types import ReidDataset

_CACHE_BYTES = 512 * 2**20


@dataclasses.dataclass(frozen=True)
class Job:
    """What is to be trained, and on what.

    Attributes:
        recipe: what to train and how.
        datasets: to train on together; those with a test split are evaluated.
        run: the folder.
        own: parts that the caller gives.
        workers: processes that decode images, for each training process.
        evaluate: whether test splits are evaluated.
    """

    recipe: Recipe
    datasets: tuple[ReidDataset, ...]
    run: RunFolder
    own: OwnParts = dataclasses.field(default_factory=OwnParts)
    workers: int = 0
    evaluate: bool = True


@dataclasses.dataclass
class Session:
    """A job under way: the job, what it trains, and how far it is."""

    job: Job
    training: TrainingSet
    config: NetworkConfig
    network: APNet
    objective: Objective
    optimiser: torch.optim.Optimizer
    freezing: Freezing
    average: AveragedNetwork | None
    batches: PKBatches
    device: torch.device
    processes: Processes
    cache: DecodedCache | None
    transfer: Transfer | None
    needs_every_weight: bool
    precision: Precision = "float32"
    parallel: nn.Module = dataclasses.field(default_factory=nn.Identity)
    progress: RunProgress = dataclasses.field(default_factory=RunProgress)
    stopping: bool = False
    callback: Callback = dataclasses.field(default_factory=NoCallback)

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What the state of the run consists of, by name."""
        found: dict[str, nn.Module] = {"network": self.network}
        if any(True for _ in self.objective.parameters()):
            found["objective"] = self.objective
        if self.average is not None:
            found["average"] = self.average.network
        return found

    @property
    def result(self) -> APNet:
        """The network that is evaluated and saved: the moving average where there is one."""
        return self.network if self.average is None else self.average.network


def start(job: Job, device: torch.device, processes: Processes, *, resume: bool) -> Session:
    """Builds everything that training needs, and checks that it fits together.

    Args:
        job: what to train.
        device: where.
        processes: this process's place among those that train together.
        resume: whether the weights will be read from the run's state, so that initial weights are
            not needed.

    Raises:
        ConfigError: recipe, data and own parts do not fit together.
        DataError: a set has no training images.
        CheckpointError: the initial weights are missing or damaged, or do not fit.
        ImageError: an image cannot be read.
    """
    recipe = job.recipe
    training = mix(job.datasets)
    terms = [*terms_of(recipe), *job.own.losses]
    batches = _batches(recipe, training, terms)
    config = dataclasses.replace(recipe.network, num_classes=training.num_identities)
    if job.own.network is not None:
        config = dataclasses.replace(config, arrangement=CUSTOM)
    torch.manual_seed(recipe.seed)
    weights = "random" if resume else recipe.weights
    network, transfer = begin_network(config, weights, job.own.network)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    objective = build_objective(terms, network.num_classes, network.feature_dims).to(device)
    decay = recipe.optimiser.ema
    return Session(
        job=job,
        training=training,
        config=config,
        network=network,
        objective=objective,
        optimiser=build_optimiser(network, objective, recipe.optimiser, job.own.optimiser),
        freezing=Freezing(network, recipe.optimiser.freeze),
        average=AveragedNetwork(network, decay) if decay else None,
        batches=batches,
        device=device,
        processes=processes,
        cache=_cache(recipe, training, job.workers),
        transfer=transfer,
        needs_every_weight=any(_reads_logits(term) for term in terms),
    )


def in_parallel(session: Session) -> nn.Module:
    """Returns what runs the forward pass: the network, or its synchronised form.

    It is made anew where modules were frozen or let go.
    """
    if session.processes.world == 1:
        return session.network
    return DistributedDataParallel(
        session.network,
        broadcast_buffers=False,
        find_unused_parameters=not session.needs_every_weight,
    )


def _batches(recipe: Recipe, training: TrainingSet, terms: Sequence[Term]) -> PKBatches:
    sampling = recipe.sampling
    check_sampling(terms, sampling.identities_per_batch, sampling.images_per_identity)
    return PKBatches(
        training.labels,
        sampling.identities_per_batch,
        sampling.images_per_identity,
        recipe.seed,
        groups=training.sources if sampling.balance == "set" else None,
    )


def _cache(recipe: Recipe, training: TrainingSet, workers: int) -> DecodedCache | None:
    height, width = recipe.network.image_size
    fits = len(training.records) * 3 * height * width <= _CACHE_BYTES
    return DecodedCache(training.records, (height, width)) if fits and workers == 0 else None


def _reads_logits(term: Any) -> bool:
    return term.loss is None and LOSSES[term.name].needs == "logits"
