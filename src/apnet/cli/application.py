"""The commands by name, and how errors leave the program."""

from __future__ import annotations

import signal
import sys
import warnings
from types import FrameType
from typing import TextIO

import typer

from apnet._version import __version__
from apnet.cli import (
    commands,
    data_commands,
    evaluate_command,
    model_commands,
    reproduce_command,
    search_command,
)
from apnet.cli.terminal import tell
from apnet.errors import ApnetError, Interrupted

app = typer.Typer(
    name="apnet",
    help="Person re-identification with the Attention Pyramid Network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data = typer.Typer(help="Make, check and look at data sets.", no_args_is_help=True)
app.add_typer(data, name="data")

app.command("demo")(commands.demo)
app.command("train")(commands.train)
app.command("evaluate")(evaluate_command.evaluate)
app.command("score")(commands.score)
app.command("embed")(model_commands.embed)
app.command("search")(search_command.search)
app.command("explain")(model_commands.explain)
app.command("cost")(commands.cost)
app.command("presets")(commands.presets)
app.command("reproduce")(reproduce_command.reproduce)
data.command("make")(data_commands.make)
data.command("sets")(data_commands.sets)
data.command("check")(data_commands.check)
data.command("show")(data_commands.show)
data.command("sheet")(data_commands.sheet)
data.command("list")(data_commands.names)


@app.callback(invoke_without_command=True)
def _version(
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    if version:
        sys.stdout.write(f"apnet {__version__}\n")
        raise typer.Exit


def main() -> None:
    """Runs the command line; exit codes: 0 done, 2 bad input, 130 interrupted."""
    warnings.showwarning = _show_warning
    before = signal.signal(signal.SIGINT, _interrupt)
    try:
        app()
    except ApnetError as error:
        tell(f"error: {error}")
        sys.exit(2)
    except Interrupted as stop:
        tell(str(stop) or "interrupted")
        sys.exit(130)
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if issubclass(category, UserWarning):
        tell(f"warning: {message}")
