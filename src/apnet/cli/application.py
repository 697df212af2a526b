"""The commands by name, and how errors leave the program."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TextIO

import typer

from apnet._version import __version__
from apnet.cli import (
    calibration_commands,
    commands,
    convert_command,
    data_commands,
    evaluate_command,
    export_command,
    gallery,
    model_commands,
    reproduce_command,
    search_command,
    serve_command,
)
from apnet.cli.streams import ReaderGone, safe_streams, write_output
from apnet.cli.terminal import one_line, tell
from apnet.cli.usage import UsageError, explained
from apnet.errors import ApnetError, Interrupted
from apnet.files import refusal

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

app = typer.Typer(
    name="apnet",
    help="Person re-identification with the Attention Pyramid Network.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data = typer.Typer(help="Make, check and look at data sets.", invoke_without_command=True)
app.add_typer(data, name="data")
app.add_typer(gallery.app, name="gallery")

app.command("demo")(commands.demo)
app.command("train")(commands.train)
app.command("evaluate")(evaluate_command.evaluate)
app.command("score")(commands.score)
app.command("embed")(model_commands.embed)
app.command("search")(search_command.search)
app.command("explain")(model_commands.explain)
app.command("export")(export_command.export)
app.command("convert")(convert_command.convert)
app.command("calibrate")(calibration_commands.calibrate)
app.command("compare")(calibration_commands.compare)
app.command("serve")(serve_command.serve)
app.command("serve-key")(serve_command.serve_key)
app.command("cost")(commands.cost)
app.command("presets")(commands.presets)
app.command("reproduce")(reproduce_command.reproduce)
data.command("make")(data_commands.make)
data.command("sets")(data_commands.sets)
data.command("check")(data_commands.check)
data.command("show")(data_commands.show)
data.command("sheet")(data_commands.sheet)
data.command("list")(data_commands.names)


@app.callback()
def _version(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    if version:
        write_output(f"apnet {__version__}\n")
        raise typer.Exit
    _help_without_command(context)


@data.callback()
def _help_without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        tell(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Runs the command line; exit codes: 0 done, 2 bad input, 130 interrupted, 141 nobody reads."""
    with safe_streams(), _interruptible():
        warnings.showwarning = _show_warning
        try:
            sys.exit(app(prog_name="apnet", standalone_mode=False) or 0)
        except UsageError as error:
            _stop(f"error: {explained(error)}", 2)
        except ApnetError as error:
            _stop(f"error: {error}", 2)
        except Interrupted as stop:
            _stop(str(stop) or "interrupted", 130)
        except ReaderGone:
            sys.exit(141)
        except OSError as error:
            if error.errno is None:
                raise
            _stop(f"error: {_refused(error)}", 2)


def _stop(text: str, code: int) -> None:
    tell(one_line(text))
    sys.exit(code)


def _refused(error: OSError) -> str:
    """Returns what the system refused, in words; what the library expects has better ones."""
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None
    if place is not None:
        return str(refusal(Path(place), error))
    return f"the system refuses: {error.strerror or error}; free space or memory, and try again"


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """While entered, Ctrl-C and a request to end stop the command as ``Interrupted``."""
    before = {number: signal.signal(number, _interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
