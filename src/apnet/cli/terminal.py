"""What all commands share: progress bars on standard error, results on standard output."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from apnet.cli.streams import write_output
from apnet.errors import printable
from apnet.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TextColumn

_LONGEST_WORD = 160

_QUIET = 0.5
"""Seconds before a progress bar is shown."""


def leads() -> bool:
    """Whether this is the process that prints and writes, of those that ``torchrun`` started."""
    return os.environ.get("RANK", "0") == "0"


def say(text: str) -> None:
    """Writes a result to standard output; see ``write_output`` for what may fail."""
    write_output(text.rstrip("\n") + "\n")


def say_json(value: Any) -> None:
    """Writes a result to standard output, for machines."""
    say(json.dumps(value, indent=2, allow_nan=False))


def tell(text: str) -> None:
    """Writes a remark to standard error, above a progress bar where there is one."""
    if _errors.cache_info().currsize:
        _errors().print(text, markup=False)
    else:  # without rich, which takes longer to import than many commands run
        sys.stderr.write(f"{text}\n")


def one_line(text: str) -> str:
    """Returns a message on one line, without control characters, very long words shortened."""
    return " ".join(
        f"{word[:80]}...{word[-40:]}" if len(word) > _LONGEST_WORD else word
        for word in printable(text.strip()).split(" ")
    )


@contextlib.contextmanager
def progress_bar(description: str) -> Iterator[Progress]:
    """Shows a progress bar on standard error, unless the work ends within half a second.

    Yields:
        A callable that is told (done, total).
    """
    begun = time.monotonic()
    bar: Bar | None = None
    task = None

    def update(done: int, total: int) -> None:
        nonlocal bar, task
        if bar is None:
            if time.monotonic() - begun < _QUIET:
                return
            bar = bars()
            task = bar.add_task(description, total=total)
            bar.start()
        assert task is not None
        bar.update(task, completed=done, total=total)

    try:
        yield update
    finally:
        if bar is not None:
            bar.stop()


def bars(*extra: TextColumn) -> Bar:
    """Returns a progress display: description, bar, count, time spent, time left."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    return Bar(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        *extra,
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=_errors(),
        disable=not leads(),
    )


@functools.cache
def _errors() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)
