"""What all commands share: progress bars on standard error, results on standard output."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from apnet.progress import Progress

errors = Console(stderr=True, highlight=False, soft_wrap=True)


def leads() -> bool:
    """Whether this is the process that prints and writes, of those that ``torchrun`` started."""
    return os.environ.get("RANK", "0") == "0"


def say(text: str) -> None:
    """Writes a result to standard output."""
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """Writes a result to standard output, for machines."""
    say(json.dumps(value, indent=2, allow_nan=False))


def tell(text: str) -> None:
    """Writes a remark to standard error."""
    errors.print(text, markup=False)


@contextlib.contextmanager
def progress_bar(description: str) -> Iterator[Progress]:
    """Shows a progress bar on standard error, from the first report of progress on.

    Yields:
        A callable that is told (done, total).
    """
    bar = bars()
    task = bar.add_task(description, total=None, start=False)

    def update(done: int, total: int) -> None:
        bar.start()
        bar.start_task(task)
        bar.update(task, completed=done, total=total)

    try:
        yield update
    finally:
        if bar.live.is_started:
            bar.stop()


def bars(*extra: TextColumn) -> Bar:
    """Returns a progress display: description, bar, count, time spent, time left."""
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        *extra,
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=errors,
        disable=not leads(),
    )
