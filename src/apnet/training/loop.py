"""The training loop: P x K batches, Eq. 9, Adam, checkpoints, exact resume."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from apnet.checkpoints import save_checkpoint
from apnet.config import Augmentation, NetworkConfig, Recipe
from apnet.data import DecodedCache, PKBatches, TrainingBatch, TrainingTransform, training_batches
from apnet.data.distortion import Distortion
from apnet.devices import Precision, autocast, choose_precision
from apnet.errors import ApnetError, ConfigError, Interrupted, TrainingError
from apnet.files import file_lock, write_json, write_text
from apnet.losses import LossParts, apnet_loss
from apnet.model import APNet, NetworkOutput, build_network
from apnet.results import Evaluation
from apnet.training.callbacks import Listener, Silence
from apnet.training.interruption import Interruption
from apnet.training.processes import GlobalBatchNorm, Processes, gather, joined, total
from apnet.training.run_folder import RunFolder
from apnet.training.schedule import learning_rate
from apnet.training.state import RunProgress, load_state, save_state
from apnet.types import ReidDataset, labels_of

_CACHE_BYTES = 512 * 2**20

Evaluate = Callable[[APNet], Evaluation]


def train(
    recipe: Recipe,
    dataset: ReidDataset,
    run: RunFolder,
    *,
    device: torch.device,
    workers: int = 0,
    resume: bool = False,
    evaluate: Evaluate | None = None,
    listener: Listener | None = None,
) -> APNet:
    """Trains a network into a run folder.

    Args:
        recipe: what to train and how.
        dataset: its ``train`` split is used; the rest only by ``evaluate``.
        run: a folder that ``RunFolder.begin`` has prepared; removed when the run fails before
            anything was saved in it.
        device: where to train; under ``torchrun`` with GPUs, each process takes its own.
        workers: processes that decode images, for each training process; 0 decodes in this one,
            and keeps the decoded images if they fit into 512 MiB.
        resume: go on from the folder's state.
        evaluate: called every ``recipe.evaluate_every`` epochs and after the last.
        listener: told of every step and epoch (in the leading process only).

    Returns:
        The network after the last epoch, in evaluation mode.

    Raises:
        ConfigError: recipe and data do not fit together.
        DataError: another process trains into the folder.
        TrainingError: the loss is not finite.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.
    """
    with (
        joined(device) as (processes, own_device),
        file_lock(run.root) if processes.leads else contextlib.nullcontext(),
        Interruption() as interruption,
    ):
        try:
            session = _Session.start(recipe, dataset, run, own_device, processes, workers)
            if resume:
                session.progress = load_state(run.state, session.network, session.optimizer)
            session.evaluate = evaluate
            session.listener = (listener or Silence()) if processes.leads else Silence()
            _train(session, interruption)
        except ApnetError:
            if processes.leads:
                run.abandon()
            raise
        return session.network.eval()


def _train(session: _Session, interruption: Interruption) -> None:
    epochs = session.recipe.optimisation.epochs
    together = session.processes.world > 1
    while session.progress.epoch < epochs:
        with GlobalBatchNorm() if together else contextlib.nullcontext():
            _train_epoch(session, interruption)
        _end_epoch(session)
        if session.stopping and session.progress.epoch < epochs:
            raise _stopped(session)


@dataclasses.dataclass
class _Session:
    """What one call of ``train`` holds together."""

    recipe: Recipe
    dataset: ReidDataset
    run: RunFolder
    config: NetworkConfig
    network: APNet
    parallel: nn.Module
    optimizer: torch.optim.Optimizer
    batches: PKBatches
    labels: list[int]
    device: torch.device
    precision: Precision
    processes: Processes
    workers: int
    cache: DecodedCache | None
    progress: RunProgress = dataclasses.field(default_factory=RunProgress)
    stopping: bool = False
    evaluate: Evaluate | None = None
    listener: Listener = dataclasses.field(default_factory=Silence)

    @classmethod
    def start(
        cls,
        recipe: Recipe,
        dataset: ReidDataset,
        run: RunFolder,
        device: torch.device,
        processes: Processes,
        workers: int,
    ) -> _Session:
        if not dataset.train:
            raise ConfigError(f"{dataset.name}: has no training images; name a set that has")
        labels = labels_of(dataset.train)
        config = dataclasses.replace(recipe.network, num_classes=max(labels) + 1)
        batches = PKBatches(labels, recipe.sampling.persons, recipe.sampling.images, recipe.seed)
        torch.manual_seed(recipe.seed)
        network = build_network(config, weights=recipe.weights)
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        trained = [weight for weight in network.parameters() if weight.requires_grad]
        optimizer = torch.optim.Adam(
            trained,
            lr=recipe.optimisation.rate,
            weight_decay=recipe.released_extras.weight_decay,
            fused=True,
        )
        return cls(
            recipe=recipe,
            dataset=dataset,
            run=run,
            config=config,
            network=network,
            parallel=_parallel(network, processes),
            optimizer=optimizer,
            batches=batches,
            labels=labels,
            device=device,
            precision=choose_precision(recipe.precision, device),
            processes=processes,
            workers=workers,
            cache=_cache(recipe, dataset, workers),
        )


def _parallel(network: APNet, processes: Processes) -> nn.Module:
    if processes.world == 1:
        return network
    return DistributedDataParallel(network, broadcast_buffers=False)


def _train_epoch(session: _Session, interruption: Interruption) -> None:
    progress, started = session.progress, time.perf_counter()
    rate = learning_rate(
        progress.epoch, session.recipe.optimisation, session.recipe.released_extras
    )
    for group in session.optimizer.param_groups:
        group["lr"] = rate
    session.network.train()
    steps = len(session.batches.batches(progress.epoch))
    for images, labels, indices in _epoch_batches(session):
        loss = _step(session, images, labels, indices, interruption.asked)
        for name, part in zip(("loss", "classification", "triplet"), loss, strict=True):
            progress.sums[name] = progress.sums.get(name, 0.0) + part
        progress.step += 1
        session.listener.step(progress.epoch, progress.step - 1, steps, loss[0], rate)
        if session.stopping and progress.step < steps:
            _save_state(session)
            raise _stopped(session)
    progress.sums["seconds"] = time.perf_counter() - started
    progress.history.append(
        {"epoch": progress.epoch + 1, "rate": rate}
        | {name: value / steps for name, value in progress.sums.items() if name != "seconds"}
        | {"seconds": progress.sums["seconds"]}
    )
    progress.epoch, progress.step, progress.sums = progress.epoch + 1, 0, {}


def _epoch_batches(session: _Session) -> Iterator[TrainingBatch]:
    augmentation = session.recipe.augmentation
    return training_batches(
        session.dataset.train,
        session.labels,
        session.batches,
        TrainingTransform(
            session.config.image_size,
            pad=augmentation.pad,
            flip=augmentation.flip,
            erase=augmentation.erase,
            distortion=_distortion(augmentation),
        ),
        seed=session.recipe.seed,
        epoch=session.progress.epoch,
        start=session.progress.step,
        rank=session.processes.rank,
        world=session.processes.world,
        workers=session.workers,
        cache=session.cache,
    )


def _distortion(augmentation: Augmentation) -> Distortion | None:
    distortion = Distortion(augmentation.recolour, augmentation.reframe, augmentation.coarsen)
    return None if distortion == Distortion() else distortion


def _cache(recipe: Recipe, dataset: ReidDataset, workers: int) -> DecodedCache | None:
    height, width = recipe.network.image_size
    fits = len(dataset.train) * 3 * height * width <= _CACHE_BYTES
    return DecodedCache(dataset.train, (height, width)) if fits and workers == 0 else None


def _step(
    session: _Session, images: Tensor, labels: Tensor, indices: Sequence[int], asked: bool
) -> tuple[float, ...]:
    images = images.to(session.device, memory_format=torch.channels_last, non_blocking=True)
    labels = labels.to(session.device, non_blocking=True)
    with autocast(session.precision, session.device):
        output: NetworkOutput = session.parallel(images)
    loss = _loss(session, output, labels)
    # The wish to stop travels with the losses, so that all processes stop after the same step.
    told = torch.stack([*(part.detach() for part in loss), loss.total.new_tensor(float(asked))])
    *parts, stop = (total(told, session.processes) / session.processes.world).tolist()
    session.stopping = stop > 0
    if not math.isfinite(parts[0]):
        raise _not_finite(session, parts[0], indices)
    session.optimizer.zero_grad(set_to_none=True)
    loss.total.backward()  # type: ignore[no-untyped-call]
    session.optimizer.step()
    return tuple(parts)


def _loss(session: _Session, output: NetworkOutput, labels: Tensor) -> LossParts:
    everyone = gather(labels, session.processes)
    settings = session.recipe.optimisation
    return apnet_loss(
        output.pooled,
        output.logits,
        labels,
        smoothing=settings.label_smoothing,
        margin=settings.triplet_margin,
        weight=settings.triplet_weight,
        candidates=[(gather(each.float(), session.processes), everyone) for each in output.pooled],
    )


def _stopped(session: _Session) -> Interrupted:
    return Interrupted(
        f"stopped, nothing lost; go on with: apnet train --resume {session.run.root}"
    )


def _not_finite(session: _Session, value: float, indices: Sequence[int]) -> TrainingError:
    paths = [str(session.dataset.train[index].path) for index in indices]
    listing = session.run.root / f"failed-batch-{session.processes.rank}.txt"
    write_text(listing, "\n".join(paths) + "\n")
    return TrainingError(
        f"the loss became {value} at epoch {session.progress.epoch + 1}, "
        f"step {session.progress.step + 1} (the batch starts with {paths[0]}; all of it is in "
        f"{listing}); lower optimisation.rate or train with precision=float32, and resume"
    )


def _end_epoch(session: _Session) -> None:
    progress, recipe = session.progress, session.recipe
    entry = progress.history[-1]
    every, done = recipe.evaluate_every, progress.epoch
    due = done == recipe.optimisation.epochs or (every > 0 and done % every == 0)
    if session.processes.leads and session.evaluate is not None and due:
        result = session.evaluate(session.network)
        entry |= {"mAP": result.mAP, "rank1": result.rank(1)}
        if result.mAP > progress.best_mAP:
            progress.best_mAP = result.mAP
            _save_weights(session, session.run.best)
    if session.processes.leads:
        _save_weights(session, session.run.last)
        write_json(session.run.history, progress.history)
    _save_state(session)  # last: what a kill cuts off is done again
    session.listener.epoch(entry)


def _save_state(session: _Session) -> None:
    if session.processes.leads:
        save_state(session.run.state, session.network, session.optimizer, session.progress)


def _save_weights(session: _Session, path: Path) -> None:
    facts = {
        "epoch": session.progress.epoch,
        "data": session.dataset.name,
        "seed": session.recipe.seed,
    }
    save_checkpoint(path, session.network, session.config, facts)
