"""``apnet reproduce``: an experiment of the paper in one command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from apnet.cli.forms import Form, Result, chosen_form
from apnet.cli.options import Csv, Device, Json, Latex, path, refuse
from apnet.cli.terminal import leads, progress_bar, say, say_json, tell
from apnet.errors import ConfigError

if TYPE_CHECKING:
    import torch

    from apnet.reproduction import Plan

Name = Literal["table2", "table3", "fig5", "table4", "table5", "table6", "table7", "fig6"]


def reproduce(
    context: typer.Context,
    experiment: Annotated[Name, typer.Argument(help="A table or figure of the paper.")],
    data: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer on Python 3.10
        typer.Option("--data", metavar="NAME=DIR", help="Your data set; repeat for several."),
    ] = None,
    scale: Annotated[
        Literal["full", "small", "smoke"],
        typer.Option(help="The paper's sizes; minutes a run on synthetic people; seconds in all."),
    ] = "full",
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Runs of each system.")] = 1,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            parser=path,
            metavar="DIR",
            help="New folder, or one to go on in [reproduce/NAME-SCALE].",
        ),
    ] = None,
    people: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            parser=path,
            metavar="DIR",
            help="Folder of synthetic people, shared by calls [OUT/people].",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run, and how long it would take.")
    ] = False,
    device: Device = "auto",
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            max=1024,
            help="Parallel workers that render people and decode large images: processes.",
        ),
    ] = 2,
    json: Json = False,
    csv: Csv = False,
    latex: Latex = False,
) -> None:
    """Carry out an experiment of the paper: train, test, tabulate beside the paper's figures.

    The same command goes on where it was stopped; more --seeds add to what is there.
    """
    from apnet.cli.device import prepared_device

    form = chosen_form(json=json, csv=csv, latex=latex)
    if dry_run and form in ("csv", "latex"):
        raise ConfigError(f"--{form}: --dry-run finds no figures; leave one of the two out")
    folder = out or Path("reproduce") / f"{experiment}-{scale}"
    if experiment == "table3":
        unused = ("scale", "seeds", "people", "device", "workers")
        refuse(context, unused, "on table3, which counts multiply-adds")
        _count(folder, data or [], dry_run=dry_run, form=form)
        return
    call = _Call(folder, people or folder / "people", prepared_device(device), workers, form)
    from apnet.reproduction import make_plan

    plan = make_plan(experiment, scale, seeds, data or [])
    for note in plan.notes:
        tell(note)
    call.estimate(plan) if dry_run else call.carry_out(plan)


@dataclass(frozen=True)
class _Call:
    """What a call says beside the plan."""

    out: Path
    people: Path
    device: torch.device
    workers: int
    form: Form

    def estimate(self, plan: Plan) -> None:
        from apnet.reproduction import estimate, format_estimate

        with progress_bar("timing networks") as progress:
            found = estimate(plan, self.out, self.device, progress)
        say_json(found) if self.form == "json" else say(format_estimate(found))

    def carry_out(self, plan: Plan) -> None:
        from apnet.cli.training_display import TrainingDisplay
        from apnet.reproduction import RunOptions, experiment_table, format_table, reproduce

        decoders = self.workers if plan.scale == "full" else 0  # small images are kept in memory
        options = RunOptions(self.device, self.workers, decoders, progress_bar, TrainingDisplay)
        table = reproduce(plan, self.out, self.people, options)
        if leads():
            forms = (lambda: format_table(table), lambda: table, lambda: experiment_table(table))
            Result(*forms).say(self.form)


def _count(out: Path, data: list[str], *, dry_run: bool, form: Form) -> None:
    """Table III, which takes no training; a scale and seeds make no difference."""
    from apnet.reproduction import (
        cost_result_table,
        cost_table,
        format_cost_table,
        write_cost_table,
    )

    if data:
        raise ConfigError(f"--data {data[0]}: table3 counts multiply-adds on no data; leave it out")
    if dry_run:
        say("table3: counts seven networks at 224x224, in less than a minute; trains nothing")
        return
    with progress_bar("counting") as progress:
        table = cost_table(progress)
    write_cost_table(table, out)
    forms = (lambda: format_cost_table(table), lambda: table, lambda: cost_result_table(table))
    Result(*forms).say(form)
