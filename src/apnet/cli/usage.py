"""Command lines that name no command, or options and arguments that it does not take."""

from __future__ import annotations

from typing import Any

import typer

from apnet.errors import ConfigError

UsageError: Any = typer.BadParameter.__mro__[1]
"""What the parser of command lines raises; typer has a copy of click, or uses click itself."""


def explained(error: Any) -> ConfigError:
    """Returns what the parser raised, as an error that fits a line and says where to look."""
    words = " ".join(error.format_message().split()).rstrip(".")
    words = words.replace("Value error, ", "")
    command = error.ctx.command_path if error.ctx is not None else "apnet"
    return ConfigError(f"{words[:1].lower()}{words[1:]}; see '{command} --help'")
