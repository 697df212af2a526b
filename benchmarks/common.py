"""What the scripts share: one thread, runs that take turns, rows with goals, and their printing."""

from __future__ import annotations

import argparse
import functools
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from apnet.devices import choose_precision

Row = dict[str, object]
"""``name``, ``goal`` (text, or None), ``measured`` (a number, or None) and ``met`` (or None); a row
that does not apply has a ``note``."""


def one_thread() -> None:
    """Lets every library compute with one thread from now on."""
    torch.set_num_threads(1)
    threadpool_limits(1)


def medians(works: Sequence[Callable[[], object]], runs: int) -> list[float]:
    """Processor seconds of each work after one run unmeasured; the works take turns."""
    seconds: list[list[float]] = [[] for _ in works]
    for number in range(runs + 1):
        for work, taken in zip(works, seconds, strict=True):
            start = time.process_time()
            work()
            if number:
                taken.append(time.process_time() - start)
    return [statistics.median(taken) for taken in seconds]


def row(
    name: str, measured: float, *, at_most: float | None = None, at_least: float | None = None
) -> Row:
    """Returns a measured ratio beside its goal, where it has one."""
    value = float(f"{measured:.5g}")
    if at_most is not None:
        return {"name": name, "goal": f"<= {at_most:g}", "measured": value,
                "met": measured <= at_most}  # fmt: skip
    if at_least is not None:
        return {"name": name, "goal": f">= {at_least:g}", "measured": value,
                "met": measured >= at_least}  # fmt: skip
    return {"name": name, "goal": None, "measured": value, "met": None}


def not_here(name: str, reason: str = "no native bf16") -> Row:
    """Returns a row for what this machine does not have; it counts neither way."""
    return {"name": name, "goal": None, "measured": None, "met": None,
            "note": f"does not apply here: {reason}"}  # fmt: skip


@functools.cache
def has_bf16() -> bool:
    """Returns whether the processor gains from bf16, as ``precision=auto`` asks."""
    return choose_precision("auto", torch.device("cpu")) == "bf16"


def machine() -> str:
    """Names the processor, its cores and the libraries."""
    names = [platform.machine()]
    lines = Path("/proc/cpuinfo")
    if lines.exists():
        text = lines.read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in text if line.startswith("model name")]
    return (
        f"{names[0]}, {len(names)} cores, {'with' if has_bf16() else 'without'} native bf16, "
        f"torch {torch.__version__}, numpy {np.__version__}"
    )


def options(doc: str, runs: int = 5) -> argparse.ArgumentParser:
    """Returns a parser with what every script takes."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--small", action="store_true", help="shows that it runs, in seconds")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs", type=int, default=runs, help="runs to take medians of")
    return parser


def report(rows: Iterable[Row], given: argparse.Namespace, name: str | None = None) -> None:
    """Prints rows as they come, or all as JSON; goals hold at full size only."""
    name = name or machine()
    found = []
    if not given.json:
        print(f"{name}\n")
    for each in rows:
        entry = {**each, "goal": None, "met": None} if given.small else each
        found.append(entry)
        if not given.json:
            print(line(entry), flush=True)
    if given.json:
        print(json.dumps({"machine": name, "rows": found}, indent=2))


def line(entry: Row) -> str:
    """Writes a row: name, figure, goal and verdict."""
    verdict = {True: "met", False: "MISSED", None: ""}[entry["met"]]  # type: ignore[index]
    if "note" in entry:
        return f"{entry['name']:<66} {entry['note']}"
    figure = "failed" if entry["measured"] is None else f"{entry['measured']:.5g}"
    return f"{entry['name']:<66} {figure:>10}  {entry['goal'] or '':<9} {verdict}".rstrip()
