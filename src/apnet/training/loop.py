"""The training loop: epochs of P x K batches, evaluation, checkpoints, a clean stop."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from apnet.checkpoints import save_checkpoint
from apnet.config import Augmentation
from apnet.data import TrainingBatch, TrainingTransform, training_batches
from apnet.data.distortion import Distortion
from apnet.data.mixing import unique_names
from apnet.errors import ApnetError, Interrupted, TrainingError
from apnet.evaluation import Protocol, evaluate_network
from apnet.files import check_writable, write_json
from apnet.results import Evaluation
from apnet.training.freezing import is_frozen
from apnet.training.interruption import Interruption
from apnet.training.optimisers import set_learning_rate
from apnet.training.processes import GlobalBatchNorm
from apnet.training.schedules import Moment, learning_rate
from apnet.training.session import Session, in_parallel
from apnet.training.state import save_state
from apnet.training.step import train_step

_COPIES = 8
"""Times the weights that a run takes: last, best, a state with two moments per weight, and a second
state while it replaces the first."""


def run_epochs(session: Session, interruption: Interruption) -> None:
    """Trains until the last epoch is done.

    Raises:
        TrainingError: a loss is not finite, or an evaluation failed; weights are saved.
        Interrupted: the process was asked to stop; the state is saved.
    """
    epochs = session.job.recipe.epochs
    together = session.processes.world > 1
    _check_space(session)
    if session.progress.history:
        _save_history(session)  # a kill may have come after the state
        if not session.progress.step:
            _evaluate_if_due(session)  # or between the epoch's weights and its evaluation
    while session.progress.epoch < epochs:
        with GlobalBatchNorm() if together else contextlib.nullcontext():
            _train_epoch(session, interruption)
        _end_epoch(session)
        if session.stopping and session.progress.epoch < epochs:
            raise _stopped(session)


def _check_space(session: Session) -> None:
    """Checks that weights and state will fit, before the work that makes them.

    Raises:
        DataError: the folder is not writable, or the disk has too little space.
    """
    if session.processes.leads:
        tensors = session.network.state_dict().values()
        weights = sum(each.numel() * each.element_size() for each in tensors)
        check_writable(session.job.run.state, _COPIES * weights)


def _train_epoch(session: Session, interruption: Interruption) -> None:
    progress, started = session.progress, time.perf_counter()
    rate = _begin_epoch(session)
    steps = len(session.batches.batches(progress.epoch))
    for batch in _epoch_batches(session):
        group = _group(progress.step, steps, session.job.recipe.optimiser.accumulate)
        losses = train_step(session, batch, group, interruption.asked)
        for name, value in losses.items():
            progress.sums[name] = progress.sums.get(name, 0.0) + value
        progress.step += 1
        session.callback.step(progress.epoch, progress.step - 1, steps, losses["loss"], rate)
        updated = group[0] == group[1] - 1
        if session.stopping and updated and progress.step < steps:
            _save_state(session)
            raise _stopped(session)
    progress.history.append(
        {"epoch": progress.epoch + 1, "rate": rate}
        | {name: value / steps for name, value in progress.sums.items()}
        | {"seconds": time.perf_counter() - started}
    )
    progress.epoch, progress.step, progress.sums = progress.epoch + 1, 0, {}


def _begin_epoch(session: Session) -> float:
    """Sets modes, frozen modules and the learning rate of the epoch; returns the rate."""
    recipe, epoch = session.job.recipe, session.progress.epoch
    moment = Moment(epoch, recipe.epochs, [entry["loss"] for entry in session.progress.history])
    rate = learning_rate(
        moment, recipe.optimiser.learning_rate, recipe.schedule, session.job.own.schedule
    )
    set_learning_rate(session.optimiser, rate)
    session.network.train()
    session.freezing.apply(is_frozen(recipe.optimiser, epoch))
    session.parallel = in_parallel(session)
    return rate


def _group(step: int, steps: int, accumulate: int) -> tuple[int, int]:
    """Returns the place of a step among those of one update, and how many these are."""
    place = step % accumulate
    return place, min(accumulate, steps - (step - place))


def _epoch_batches(session: Session) -> Iterator[TrainingBatch]:
    augmentation = session.job.recipe.augmentation
    return training_batches(
        session.training.records,
        session.training.labels,
        session.batches,
        TrainingTransform(
            session.config.image_size,
            pad=augmentation.pad,
            flip=augmentation.flip,
            erase=augmentation.erase,
            distortion=_distortion(augmentation),
        ),
        seed=session.job.recipe.seed,
        epoch=session.progress.epoch,
        start=session.progress.step,
        rank=session.processes.rank,
        world=session.processes.world,
        workers=session.job.workers,
        cache=session.cache,
    )


def _distortion(augmentation: Augmentation) -> Distortion | None:
    distortion = Distortion(augmentation.recolour, augmentation.reframe, augmentation.coarsen)
    return None if distortion == Distortion() else distortion


def _end_epoch(session: Session) -> None:
    """Saves the epoch's weights and state, then evaluates, then saves what that found."""
    _save(session)
    _evaluate_if_due(session)
    session.callback.epoch(session.progress.history[-1])


def _evaluate_if_due(session: Session) -> None:
    entry = session.progress.history[-1]
    if session.processes.leads and "mAP" not in entry and _is_due(session):
        entry |= _evaluate(session)
        if entry["mAP"] > session.progress.best_mAP:
            session.progress.best_mAP = entry["mAP"]
            _save_weights(session, best=True)
        _save_state(session)
        _save_history(session)


def _is_due(session: Session) -> bool:
    job, done = session.job, session.progress.epoch
    every = job.recipe.evaluate_every
    last = done == job.recipe.epochs
    testable = any(dataset.query and dataset.gallery for dataset in job.datasets)
    return job.evaluate and testable and (last or (every > 0 and done % every == 0))


def _evaluate(session: Session) -> dict[str, float]:
    """Returns the figures of every data set that has a test split, and of all of them the means."""
    job = session.job
    found: dict[str, Evaluation] = {}
    for name, dataset in zip(unique_names(job.datasets), job.datasets, strict=True):
        if not (dataset.query and dataset.gallery):
            continue
        try:
            found[name], _, _ = evaluate_network(
                session.result,
                session.config,
                dataset,
                protocol=Protocol(precision=session.precision),
                model=str(job.run.last),
                seeds={"training": job.recipe.seed},
                workers=job.workers,
            )
        except ApnetError as error:
            raise TrainingError(
                f"the evaluation after epoch {session.progress.epoch} failed, its weights are in "
                f"{job.run.last}: {error}"
            ) from error
        session.callback.evaluation(name, found[name])
    figures = {
        "mAP": sum(each.mAP for each in found.values()) / len(found),
        "rank1": sum(each.rank(1) for each in found.values()) / len(found),
    }
    if len(found) > 1:
        for name, each in found.items():
            figures |= {f"mAP {name}": each.mAP, f"rank1 {name}": each.rank(1)}
    return figures


def _save(session: Session) -> None:
    if session.processes.leads:
        _save_weights(session)
    _save_state(session)  # what a kill cuts off before this is done again
    _save_history(session)  # after the state: it says what will not be done again


def _save_history(session: Session) -> None:
    if session.processes.leads:
        write_json(session.job.run.history, session.progress.history)


def _save_state(session: Session) -> None:
    if session.processes.leads:
        save_state(session.job.run.state, session.modules, session.optimiser, session.progress)


def _save_weights(session: Session, *, best: bool = False) -> None:
    run = session.job.run
    facts = {
        "epoch": session.progress.epoch,
        "data": ", ".join(dataset.name for dataset in session.job.datasets),
        "seed": session.job.recipe.seed,
    }
    save_checkpoint(run.best if best else run.last, session.result, session.config, facts)


def _stopped(session: Session) -> Interrupted:
    return Interrupted(
        f"stopped, nothing lost; go on with: apnet train --resume {session.job.run.root}"
    )
