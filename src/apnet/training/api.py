"""Training in one call: begin a run, or go on with one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from apnet.arguments import AnyPath, as_path, described
from apnet.checkpoints import Checkpoint, fingerprint
from apnet.config import Recipe, override, parse, to_dict
from apnet.data import load_dataset
from apnet.data.registry import load_sources
from apnet.devices import choose_device
from apnet.errors import ApnetError, ConfigError
from apnet.files import file_lock
from apnet.losses import Term
from apnet.model import APNet
from apnet.models import AnyDevice, Model
from apnet.training.arithmetic import settle_precision
from apnet.training.callbacks import Callback, Callbacks, NoCallback
from apnet.training.changes import changed_recipe, check_unchanged, describe
from apnet.training.interruption import Interruption
from apnet.training.loop import run_epochs
from apnet.training.optimisers import OwnOptimiser
from apnet.training.own_parts import OwnParts
from apnet.training.processes import Processes, joined, total
from apnet.training.recipes import (
    Settings,
    as_assignments,
    check_effects,
    check_recipe,
    load_recipe,
)
from apnet.training.run_folder import RunFolder
from apnet.training.schedules import OwnSchedule
from apnet.training.session import Job, Session, start
from apnet.training.state import load_state
from apnet.training.testable import check_testable
from apnet.types import ReidDataset

Data = str | ReidDataset | Sequence[str | ReidDataset]
"""A data set, ``NAME=DIR``, or several of either."""

Notify = Callable[[str], None]
"""Told in one sentence what somebody should know before training begins."""


def train(
    recipe: AnyPath | Recipe,
    data: Data,
    out: AnyPath,
    *,
    device: AnyDevice = "auto",
    settings: Settings | None = None,
    workers: int = 0,
    network: APNet | None = None,
    losses: Sequence[Term] = (),
    optimiser: OwnOptimiser | None = None,
    schedule: OwnSchedule | None = None,
    callbacks: Sequence[Callback] = (),
    resume: bool = False,
    evaluate: bool = True,
    notify: Notify = lambda _text: None,
) -> Model:
    """Trains a network into a run folder.

    Args:
        recipe: a shipped recipe's name, a path that ends in ``.toml``, or a ``Recipe``.
        data: what to train on: a data set, ``NAME=DIR``, or several of either, whose identities and
            cameras are kept apart. Each that has a test split is evaluated by itself.
        out: the run folder: new or empty, unless ``resume``.
        device: ``auto``, ``cpu``, ``cuda:1``, ...; under ``torchrun`` with GPUs, each process takes
            its own.
        settings: changes of the recipe: ``{"epochs": 1}``, or ``["epochs=1"]``.
        workers: processes that decode images, for each training process; 0 decodes in this one,
            and keeps the decoded images if they fit into 512 MiB.
        network: a network of one's own in place of the recipe's, see ``create_network``; it is
            changed in place.
        losses: terms of one's own beside the recipe's: ``Term("mine", weight, loss=function)``.
        optimiser: of one's own: from parameter groups to a ``torch.optim.Optimizer``.
        schedule: of one's own: from the epoch, counted from 0, to a factor of the learning rate.
        callbacks: called after every step, epoch and evaluation, in the leading process only.
        resume: go on where a run of this recipe and data in ``out`` stopped; begin it where there
            is none.
        evaluate: whether test splits are evaluated, every ``evaluate_every`` epochs and at the end.
        notify: told what was taken over from a trained network.

    Returns:
        The network after the last epoch, in evaluation mode, ready for use.

    Raises:
        ConfigError: a setting, or recipe, data and own parts, do not fit together; or ``out`` is in
            use for something else.
        DataError: a data set cannot be used, has changed, or another process trains in ``out``.
        CheckpointError: initial weights, or the run's state, are missing or damaged.
        TrainingError: a loss is not finite, or an evaluation failed.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.
    """
    run, where = RunFolder(as_path(out, "out")), choose_device(device)
    job = Job(
        resolved(recipe, settings),
        loaded(data),
        run,
        OwnParts(network, losses, optimiser, schedule),
        workers,
        evaluate,
    )
    return _carry_out(job, where, Callbacks(*callbacks), resume, notify)


def resume_run(
    folder: AnyPath,
    *,
    device: AnyDevice = "auto",
    settings: Settings | None = None,
    workers: int = 0,
    network: APNet | None = None,
    losses: Sequence[Term] = (),
    optimiser: OwnOptimiser | None = None,
    schedule: OwnSchedule | None = None,
    callbacks: Sequence[Callback] = (),
    evaluate: bool = True,
    notify: Notify = lambda _text: None,
) -> Model:
    """Goes on with the run in a folder, exactly, on the data that its ``run.json`` names.

    Args:
        folder: of the run.
        device: as in ``train``.
        settings: what shall change: ``epochs``, ``optimiser.learning_rate``, ``evaluate_every``,
            ``precision``; the run folder records old and new values.
        workers: as in ``train``.
        network: the parts of one's own that the run began with; likewise those that follow.
        losses: likewise.
        optimiser: likewise.
        schedule: likewise.
        callbacks: as in ``train``.
        evaluate: as in ``train``.
        notify: as in ``train``.

    Returns:
        As ``train``.

    Raises:
        ApnetError: as ``train``; or the folder is no run, or a setting may not change.
    """
    run = RunFolder(as_path(folder, "folder"))
    recipe = run.recipe()
    changes: dict[str, Any] = {}
    if settings:
        recipe, changes = _changed(run, recipe, as_assignments(settings))
    sets = tuple(load_dataset(each["name"], Path(each["root"])) for each in run.data())
    own = OwnParts(network, losses, optimiser, schedule)
    job = Job(recipe, sets, run, own, workers, evaluate)
    return _carry_out(job, choose_device(device), Callbacks(*callbacks), True, notify, changes)


def resolved(recipe: AnyPath | Recipe, settings: Settings | None) -> Recipe:
    """Returns a recipe by name or as it is, with settings changed.

    Raises:
        TypeError: it is neither a name, a path, nor a recipe.
        ConfigError: see ``load_recipe``.
    """
    if isinstance(recipe, str | os.PathLike):
        return load_recipe(os.fspath(recipe), settings)
    if not isinstance(recipe, Recipe):
        raise TypeError(
            f"recipe is a name, the path of a .toml file, or a Recipe; got {described(recipe)}"
        )
    if settings:
        assignments = as_assignments(settings)
        recipe = parse(Recipe, override(to_dict(recipe), assignments), "settings")
        check_effects(recipe, assignments)
    check_recipe(recipe)
    return recipe


def loaded(data: Data) -> tuple[ReidDataset, ...]:
    """Returns one or several data sets, loaded where they are named.

    Raises:
        ConfigError: a name is unknown, or one source is named twice.
        DataError: a folder does not hold such a data set.
    """
    several: list[Any] = list(data) if isinstance(data, list | tuple) else [data]
    several = [os.fspath(each) if isinstance(each, os.PathLike) else each for each in several]
    for each in several:
        if not isinstance(each, str | ReidDataset):
            raise TypeError(
                "data is a ReidDataset, 'NAME=DIR' such as 'market1501=DIR', or a list of these; "
                f"got {described(each)}"
            )
    named = iter(load_sources([each for each in several if isinstance(each, str)]))
    return tuple(next(named) if isinstance(each, str) else each for each in several)


def _carry_out(
    job: Job,
    device: torch.device,
    callback: Callback,
    resume: bool,
    notify: Notify,
    changes: Mapping[str, Any] | None = None,
) -> Model:
    if job.evaluate:
        for dataset in job.datasets:
            check_testable(dataset)
    with joined(device) as (processes, own_device):
        begun = _begin(job, processes, own_device, resume, bool(changes))
        with (
            file_lock(job.run.root) if processes.leads else contextlib.nullcontext(),
            Interruption() as interruption,
        ):
            try:
                session = start(job, own_device, processes, resume=begun)
                if begun:
                    session.progress = load_state(job.run.state, session.modules, session.optimiser)
                    if changes and processes.leads:  # only now is it certain that the run goes on
                        job.run.change(job.recipe, changes)
                elif session.transfer is not None and processes.leads:
                    notify(str(session.transfer))
                session.precision = settle_precision(session, notify)
                session.callback = callback if processes.leads else NoCallback()
                run_epochs(session, interruption)
            except ApnetError:
                if processes.leads:
                    job.run.abandon()
                raise
        return Model(_checkpoint(session))


def _begin(
    job: Job, processes: Processes, device: torch.device, resume: bool, changed: bool
) -> bool:
    """Begins the run's folder, or checks that it is this run; returns whether there is a state."""
    run = job.run
    if processes.leads:
        if resume and run.record.exists():
            _check_same(job, changed)
        else:
            run.begin(job.recipe, describe(job.datasets), job.own.names())
    total(torch.zeros(1, device=device), processes)  # the others wait until the folder is there
    return run.state.exists()


def _check_same(job: Job, changed: bool) -> None:
    run = job.run
    job.own.check_complete(run.own(), str(run.root))
    if not changed and run.recipe() != job.recipe:
        raise ConfigError(
            f"{run.root}: holds a run with other settings; choose another folder, or continue it "
            "with --resume"
        )
    check_unchanged(run.data(), job.datasets)


def _changed(
    run: RunFolder, recipe: Recipe, assignments: Sequence[str]
) -> tuple[Recipe, dict[str, Any]]:
    """Returns the changed recipe, and the note of what changed; none where nothing did."""
    recipe, changes = changed_recipe(recipe, assignments)
    done = len(run.read_history()) if run.history.exists() else 0
    if recipe.epochs < done:
        raise ConfigError(
            f"{run.root}: {done} epochs are done, epochs = {recipe.epochs} cannot undo them; give "
            f"{done} or more, or start a new run"
        )
    return recipe, {"after_epoch": done, "settings": changes} if changes else {}


def _checkpoint(session: Session) -> Checkpoint:
    session.freezing.apply(False)
    network = session.result.eval()
    return Checkpoint(
        network,
        session.config,
        fingerprint(network, session.config),
        session.job.run.last,
        {"epoch": session.progress.epoch, "seed": session.job.recipe.seed},
    )
