"""The command line: arguments become calls, results become text; no logic lives here."""

from __future__ import annotations

from apnet.cli.application import main

__all__ = ["main"]
