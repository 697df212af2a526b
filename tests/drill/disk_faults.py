"""Lets each step that a command does on the disk fail in turn, and looks at what is left.

After the fault the command must say so in one line, all files under final names must be whole, and
the same command given again must end as if there had been none.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from disk import FAULTS, Disk
from drill_process import Outcome, Started
from kills import LIMIT, OUT, Job, files, jobs
from PIL import Image
from safetensors.numpy import load_file

KINDS = ("message", "half", "lost", "different", "litter")
"""What may be wrong: how the command ends, files that are half, epochs done again, the end."""


@dataclass(frozen=True)
class Try:
    """One fault: the step's number, the kind of fault, and what was wrong."""

    step: int
    fault: str
    wrong: dict[str, str]


class DiskDrill:
    """A command, what it makes without faults, and how many steps that takes.

    Args:
        job: the command.
        folder: where it is run.
    """

    def __init__(self, job: Job, folder: Path) -> None:
        self._job, self._folder = job, folder
        whole, disk = folder / "whole", Disk()
        whole.mkdir()
        run(job.first, whole, disk)
        self.steps = disk.steps
        self._expected, self._names = job.result(whole / OUT), set(files(whole))

    def tried(self, step: int, fault: str) -> Try:
        """Returns what came of a fault at a step."""
        place = self._folder / "place"
        place.mkdir()
        outcome = run(self._job.first, place, Disk(step, fault))
        wrong = {"message": _message(outcome, fault), "half": _half(place)}
        before = _history(place)
        again = self._job.first
        if outcome.code != 0:
            again = self._job.again(place)
            outcome = run(again, place)
        if outcome.code != 0:
            wrong["different"] = f"{' '.join(again[:4])}: exit {outcome.code}: {outcome.err[-300:]}"
        else:
            found = self._job.result(place / OUT)
            wrong["different"] = ", ".join(
                name
                for name in found | self._expected
                if found.get(name) != self._expected.get(name)
            )
        if not _continues(_history(place), before):
            wrong["lost"] = "epochs were trained again"
        wrong["litter"] = ", ".join(sorted(set(files(place)) - self._names))
        shutil.rmtree(place)
        return Try(step, fault, {kind: words for kind, words in wrong.items() if words})


def run(arguments: Sequence[str], place: Path, disk: Disk | None = None) -> Outcome:
    """Runs a command to its end, on a disk that may fail."""
    started = Started(list(arguments), place, LIMIT, disk.install if disk else None)
    return started.end()


def _message(outcome: Outcome, fault: str) -> str:
    if fault == "kill" or outcome.code == 0:
        return ""
    lines = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    said = len(lines) == 1 and outcome.code == 2 and "Traceback" not in outcome.err
    return "" if said else f"exit {outcome.code}: {outcome.err[-600:]}"


def _half(place: Path) -> str:
    """Returns the files under final names that cannot be read."""
    readers = {
        ".safetensors": load_file,
        ".json": lambda path: json.loads(path.read_text()),
        ".npz": lambda path: dict(np.load(path)),
        ".jpg": _pixels,
        ".png": _pixels,
    }
    found = []
    for path in place.rglob("[!.]*"):
        reader = readers.get(path.suffix)
        if reader and not any(part.startswith(".") for part in path.relative_to(place).parts):
            try:
                reader(path)
            except Exception as error:  # whatever a reader raises
                found.append(f"{path.name}: {error}")
    return ", ".join(found)


def _pixels(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


def _history(place: Path) -> list[Any]:
    path = place / OUT / "history.json"
    return list(json.loads(path.read_text())) if path.is_file() else []


def _continues(now: list[Any], before: list[Any]) -> bool:
    """Returns whether epochs that were done are there as they were; a figure may have come."""
    pairs = zip(before, now, strict=False)
    return len(now) >= len(before) and all(old.items() <= new.items() for old, new in pairs)


def table(folder: Path, only: str = "", sample: int = 0, seed: int = 0) -> bool:
    """Prints a line per command; returns whether all are good.

    Args:
        folder: for what is made.
        only: part of the name of the commands.
        sample: steps per command, drawn at random, with one fault each; 0 for all with all.
        seed: of the draw.
    """
    torch.set_num_threads(1)  # a fork has one thread of its parent's
    print(f"| command | steps | faults | {' | '.join(KINDS)} |\n|{'---|' * (3 + len(KINDS))}")
    good, chance = True, random.Random(seed)
    for name, job in jobs(folder, epochs=2).items():
        if only not in name:
            continue
        (folder / name).mkdir()
        drill = DiskDrill(job, folder / name)
        tries = [drill.tried(*each) for each in _chosen(drill.steps, sample, chance)]
        for each in tries:
            if each.wrong:
                print(f"{name}, step {each.step}, {each.fault}: {each.wrong}", flush=True)
        counts = [sum(kind in each.wrong for each in tries) for kind in KINDS]
        print(
            f"| {name} | {drill.steps} | {len(tries)} | {' | '.join(map(str, counts))} |",
            flush=True,
        )
        good = good and not sum(counts)
    return good


def _chosen(steps: int, sample: int, chance: random.Random) -> list[tuple[int, str]]:
    if not sample:
        return list(itertools.product(range(steps), FAULTS))
    picked = chance.sample(range(steps), min(sample, steps))
    return [(step, chance.choice(FAULTS)) for step in picked]
