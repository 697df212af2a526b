"""Kills commands at random moments, goes on, and compares with commands that nobody killed.

Each command runs in a fork that has imported all. After a kill the same command is given again
(``train --resume`` where a run was begun), until it ends; the moments are drawn over the time
that the command takes, so that kills fall into all of its parts.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from drill_good import EMBED, TINY, call
from drill_process import Started
from safetensors.numpy import load_file

from market_people import write_people

LIMIT = 600.0
"""Seconds after which a command counts as hanging."""

OUT = "out"


@dataclass(frozen=True)
class Job:
    """A command that makes ``out`` in the current folder.

    Attributes:
        first: its arguments.
        again: its arguments after a kill, in the folder that it left.
        result: what it made, as text by name; equal for equal results.
    """

    first: tuple[str, ...]
    again: Callable[[Path], tuple[str, ...]]
    result: Callable[[Path], dict[str, str]]


@dataclass(frozen=True)
class Tally:
    """What came of the kills of one command."""

    kills: int
    rounds: int
    different: int
    litter: int
    failed: int

    @property
    def good(self) -> bool:
        """Whether nothing was lost, changed or left behind."""
        return not self.different + self.litter + self.failed


def jobs(folder: Path, epochs: int = 4) -> dict[str, Job]:
    """Returns the commands, with the files that they read, made in a folder."""
    people = write_people(folder / "market")
    tiny = tuple(f"epochs={epochs}" if each == "epochs=1" else each for each in TINY)
    here = Path.cwd()
    os.chdir(folder)
    smoke = ("reproduce", "table6", "--scale", "smoke", "--people", str(folder / "people"))
    with contextlib.redirect_stdout(io.StringIO()):
        call("train", "demo", "--data", f"market1501={people}", "--out", "run", *TINY)
        call(*smoke, "--out", "made", "--workers", "0", "--device", "cpu")  # makes the people
    os.chdir(here)
    train = ("train", "demo", "--data", f"market1501={people}", "--out", OUT, *tiny)
    resume = ("train", "--resume", OUT, "--device", "cpu", "--workers", "0")
    embed = ("embed", str(people / "query"), str(people / "bounding_box_test"), "--out", OUT)
    make = ("--ids", "8", "--images", "8", "--cameras", "2", "--size", "64x32", "--workers", "0")
    network = tuple(str(folder / "run") if each == "run" else each for each in EMBED)
    return {
        "train": Job(
            train,
            lambda place: resume if (place / OUT / "run.json").exists() else train,
            _trained,
        ),
        "embed": _same((*embed, *network), _embedded),
        "make": _same(("data", "make", OUT, *make), _bytes),
        "reproduce": _same(
            (*smoke, "--out", OUT, "--workers", "0", "--device", "cpu"), _reproduced
        ),
    }


def _same(arguments: tuple[str, ...], result: Callable[[Path], dict[str, str]]) -> Job:
    return Job(arguments, lambda _: arguments, result)


def _trained(out: Path) -> dict[str, str]:
    found = {path.name: _digest(load_file(path)) for path in out.glob("*.safetensors")}
    history = json.loads((out / "history.json").read_text())
    return {**found, "history": json.dumps(_timeless(history))}


def _timeless(value: Any) -> Any:
    """Returns a value without its times."""
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items() if "second" not in key}
    return [_timeless(each) for each in value] if isinstance(value, list) else value


def _embedded(out: Path) -> dict[str, str]:
    from apnet.retrieval import load_features

    features = load_features(out)
    return {
        "features": hashlib.sha256(np.ascontiguousarray(features.features)).hexdigest(),
        "paths": json.dumps([Path(path).name for path in features.paths]),
        "pids": json.dumps(features.pids.tolist()),
    }


def _bytes(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def _reproduced(out: Path) -> dict[str, str]:
    return {"table": (out / "table.json").read_text()}


def _digest(arrays: dict[str, np.ndarray]) -> str:
    whole = hashlib.sha256()
    for name in sorted(arrays):
        whole.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return whole.hexdigest()


def drill(job: Job, folder: Path, kills: int, chance: random.Random) -> Tally:
    """Kills a command a number of times, over as many rounds as that takes."""
    whole = folder / "whole"
    whole.mkdir()
    begun = time.monotonic()
    _killed(job.first, whole, LIMIT)
    seconds = time.monotonic() - begun
    expected = job.result(whole / OUT)
    names = set(files(whole))
    done = rounds = different = litter = failed = 0
    while done < kills:
        place = folder / f"round{rounds}"
        place.mkdir()
        arguments: tuple[str, ...] = job.first
        code = _killed(arguments, place, chance.uniform(0, seconds))
        while code is None:
            done, arguments = done + 1, job.again(place)
            moment = chance.uniform(0, seconds) if done < kills else LIMIT
            code = _killed(arguments, place, moment)
        rounds += 1
        failed += code != 0
        found = job.result(place / OUT) if code == 0 else {}
        apart = [name for name in expected | found if expected.get(name) != found.get(name)]
        more = sorted(set(files(place)) - names)
        if code or apart or more:
            print(f"round {rounds} of {job.first[0]}: different {apart[:3]}, litter {more[:3]}")
        different += bool(apart)
        litter += bool(more)
        shutil.rmtree(place)
    shutil.rmtree(whole)
    return Tally(done, rounds, different, litter, failed)


def files(folder: Path) -> list[str]:
    """Returns the names of all that is in a folder."""
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*")]


def _killed(arguments: tuple[str, ...], place: Path, seconds: float) -> int | None:
    """Kills a command after some seconds; returns the exit code of one that ended before."""
    started = Started(list(arguments), place, LIMIT)
    end = time.monotonic() + seconds
    while (outcome := started.outcome()) is None:
        if time.monotonic() > end:
            started.kill()
            return None
        time.sleep(0.001)
    if outcome.code:
        print(f"exit {outcome.code}: {' '.join(arguments)}\n{outcome.err[-500:]}")
    return -1 if outcome.code is None else outcome.code


def table(folder: Path, kills: int, seed: int, only: str = "") -> bool:
    """Prints a line per command; returns whether all are good."""
    torch.set_num_threads(1)  # a fork has one thread of its parent's
    good = True
    print("| command | kills | rounds | different | litter | failed |\n|---|---|---|---|---|---|")
    for name, job in jobs(folder).items():
        if only in name:
            (folder / name).mkdir()
            tally = drill(job, folder / name, kills, random.Random(seed))
            print(
                f"| {name} | {tally.kills} | {tally.rounds} | {tally.different} | {tally.litter} "
                f"| {tally.failed} |",
                flush=True,
            )
            good = good and tally.good
    return good
