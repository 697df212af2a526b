"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from apnet.arguments import as_path
from apnet.errors import ConfigError


def path(text: str) -> Path:
    """Returns a path that a user named; see ``as_path`` for what is refused."""
    return as_path(text, "a path")


def refuse(context: typer.Context, names: tuple[str, ...], reason: str) -> None:
    """Checks that options which have no effect were not given.

    Raises:
        ConfigError: one was given.
    """
    sources = {name: context.get_parameter_source(name) for name in names}
    given = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    if given:
        listed = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ConfigError(f"{listed}: has no effect {reason}; leave it out")


def named_model(checkpoint: Path | None, architecture: str | None) -> Any:
    """Returns what verbs take as a model: a path, or the loaded file of a named architecture.

    Raises:
        ConfigError: an architecture without a file, or one that there is not.
        CheckpointError: the file does not fit the architecture.
    """
    if architecture is None:
        return checkpoint
    if checkpoint is None:
        raise ConfigError(f"--architecture {architecture}: name the file with --checkpoint")
    from apnet.models import as_model

    return as_model(checkpoint, architecture=architecture)


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")]
Latex = Annotated[bool, typer.Option("--latex", help="Print LaTeX instead of a table.")]
Data = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer on Python 3.10
    typer.Option("--data", metavar="NAME=DIR", help="Data set; 'apnet data list' names them."),
]
Device = Annotated[str, typer.Option(help="'auto', 'cpu', 'cuda', 'cuda:1', ...")]
Workers = Annotated[
    int,
    typer.Option(
        min=0, max=1024, help="Parallel workers that decode images: processes; 0 uses this one."
    ),
]
Decoders = Annotated[
    int,
    typer.Option(
        min=0,
        max=1024,
        help="Parallel workers that decode images: threads beside the network; 0 and 1 mean one.",
    ),
]
Renderers = Annotated[
    int,
    typer.Option(
        min=0, max=1024, help="Parallel workers that render: processes; 0 and 1 use this one."
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of everything random.")]
Architecture = Annotated[
    Optional[str],  # noqa: UP045 - typer on Python 3.10
    typer.Option(
        metavar="NAME",
        help="Of another toolkit's checkpoint, as torchreid/osnet_x1_0; else what its weights say.",
    ),
]
Weights = Annotated[
    Optional[Path],  # noqa: UP045 - typer on Python 3.10
    typer.Option(
        "--checkpoint",
        parser=path,
        metavar="RUN_OR_FILE",
        help="Your own network; else the shipped one.",
    ),
]
