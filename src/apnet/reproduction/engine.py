"""Carries a plan out: run after run, the table rewritten after each."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from apnet.errors import ApnetError, ConfigError, DataError, Interrupted
from apnet.files import (
    claim_folder,
    clear_parts,
    entries,
    file_lock,
    is_file,
    read_json,
    write_json,
    write_text,
)
from apnet.reproduction.catalogue import PICTURES
from apnet.reproduction.figures import draw_figure, require_drawing
from apnet.reproduction.markdown import format_table
from apnet.reproduction.pictures import draw_levels
from apnet.reproduction.planning import Plan, Run
from apnet.reproduction.records import read_record, write_record
from apnet.reproduction.running import RunOptions, evaluate_run, train_run
from apnet.reproduction.table import build_table
from apnet.training import RunFolder
from apnet.training.processes import joined, total
from apnet.types import ReidDataset

SETTINGS = "settings.json"
"""The file of an experiment's folder that is written first."""


def reproduce(plan: Plan, out: Path, people: Path, options: RunOptions) -> dict[str, Any]:
    """Runs what of a plan is not finished yet, and writes its table and figure.

    ``out`` then holds ``settings.json``, ``runs/``, ``results/``, ``table.md`` and ``table.json``,
    which are rewritten after every run, and at the end ``figure.png`` and ``figure.svg``.

    Args:
        plan: see ``make_plan``.
        out: new folder, or one in which the same plan was begun.
        people: folder for synthetic people; several experiments may share it.
        options: device, workers and who is told how far it is.

    Returns:
        The table, see ``build_table``.

    Raises:
        ConfigError: the folder belongs to other settings.
        DataError: a data set cannot be used, or a folder is not writable.
        MissingExtraError: matplotlib is not installed.
        TrainingError: a loss is not finite.
        Interrupted: everything is saved; the same call goes on.
    """
    require_drawing()
    try:
        with joined(options.device) as (processes, device):
            options = dataclasses.replace(options, leads=processes.leads)
            if processes.leads:
                begin_or_continue(out, plan.settings())
                try:
                    _load(plan, people, options)
                except ApnetError:
                    abandon(out)
                    raise
            total(torch.zeros(1, device=device), processes)  # the others wait until all is there
            with _locked(out) if processes.leads else contextlib.nullcontext():
                return _run_all(plan, _load(plan, people, options), out, options)
    except Interrupted as stop:
        raise Interrupted(f"stopped, nothing lost; the same command goes on in {out}") from stop


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Keeps other processes out of an experiment's folder, and clears what a kill left there."""
    with file_lock(out):
        clear_parts(out / "results")
        yield


def _run_all(
    plan: Plan, datasets: Mapping[str, ReidDataset], out: Path, options: RunOptions
) -> dict[str, Any]:
    for run in plan.runs:
        if read_record(out, run.name) is None:
            _carry_out(run, datasets, out, options)
            if options.leads:
                _write(build_table(out, plan), out)
    table = build_table(out, plan)
    if options.leads:
        _draw(table, plan, datasets, out, options)
        _write(table, out)
    return table


def begin_or_continue(out: Path, settings: Mapping[str, Any]) -> None:
    """Notes the settings in a new folder, or compares them with those of an old one.

    Raises:
        ConfigError: the folder holds something else, or an experiment with other settings.
        DataError: it is not writable.
    """
    path = out / SETTINGS
    if not is_file(path):
        claim_folder(
            out, path.name, "exists and holds no experiment; choose a new folder with --out"
        )
        write_json(path, settings)
        return
    found = read_json(path, dict[str, Any], "choose another --out")
    if found != settings:
        differ = [key for key in settings if settings[key] != found.get(key)]
        raise ConfigError(
            f"{out}: belongs to other settings (different: {', '.join(differ)}); "
            "repeat the first command, or choose another --out"
        )


def abandon(out: Path) -> None:
    """Removes a folder in which nothing but the settings was written."""
    if [entry.name for entry in entries(out)] == [SETTINGS]:
        (out / SETTINGS).unlink()
        out.rmdir()


def _load(plan: Plan, people: Path, options: RunOptions) -> dict[str, ReidDataset]:
    datasets = {}
    for name, source in plan.sources.items():
        with options.stage(f"people for {name}") as progress:
            datasets[name] = source.load(people, options.renderers, progress)
    for run in plan.runs:
        if not datasets[run.train].train:
            raise DataError(
                f"{datasets[run.train].root}: '{run.train}' has no training images, which "
                f"{plan.experiment.name} needs; give a whole copy"
            )
    return datasets


def _carry_out(
    run: Run, datasets: Mapping[str, ReidDataset], out: Path, options: RunOptions
) -> None:
    folder = out / "runs" / run.name
    train_run(run, datasets[run.train], folder, options)
    if options.leads:
        write_record(out, evaluate_run(run, datasets, folder, options))
        RunFolder(folder).state.unlink(missing_ok=True)  # three times the weights' size


def _draw(
    table: dict[str, Any],
    plan: Plan,
    datasets: Mapping[str, ReidDataset],
    out: Path,
    options: RunOptions,
) -> None:
    if plan.experiment.name == PICTURES:
        table["levels"] = draw_levels(plan, datasets, out, options)
    else:
        draw_figure(table, out)


def _write(table: Mapping[str, Any], out: Path) -> None:
    write_json(out / "table.json", table)
    write_text(out / "table.md", format_table(table))
