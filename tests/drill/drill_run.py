"""The drill: makes good files, spoils them, runs commands on them, and counts what went wrong."""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from drill_files import file_inputs
from drill_good import make_good
from drill_inputs import BadInput
from drill_paths import path_inputs
from drill_process import Started
from drill_values import value_inputs
from drill_verdict import FAULTS, Verdict, judge, snapshot

import apnet.demo
import apnet.explanation
import apnet.models
import apnet.rank_lists
import apnet.reproduction
import apnet.synthetic
import apnet.training  # noqa: F401 - all rooms, so that a fork need not import them

AT_ONCE = 2
_PAUSE = 0.01


@dataclass(frozen=True)
class Result:
    """An input and what was wrong with how its command ended."""

    given: BadInput
    verdict: Verdict
    seconds: float


@dataclass
class _Try:
    given: BadInput
    folder: Path
    before: dict[str, tuple[int, int]]
    started: Started


def drill(words: list[str]) -> int:
    """Runs the drill, prints its counts, and returns the exit code."""
    options = _options(words)
    inputs = [*file_inputs(options.rounds), *path_inputs(), *value_inputs()]
    inputs = [each for each in inputs if options.only in f"{each.kind} {each.name}"]
    random.Random(options.seed).shuffle(inputs)
    inputs = inputs[: max(1, round(len(inputs) * options.share))]
    torch.set_num_threads(1)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="drill") as name:
        results = []
        for each in _carry_out(inputs, Path(name).resolve(), options.seed, options.limit):
            results.append(each)
            if each.verdict.kind and not options.json:
                print(_told(each), flush=True)
    counts = _counts(results)
    if options.json:
        print(json.dumps({"counts": counts, "wrong": [_told(each) for each in _wrong(results)]}))
    else:
        _print(results, counts, time.monotonic() - begun)
    return int(any(_wrong(results)))


def _options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("drill")
    parser.add_argument("--rounds", type=int, default=4, help="damages of a file per command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="inputs whose kind or name has this text")
    parser.add_argument("--share", type=float, default=1.0, help="of the inputs, chosen at random")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of a command")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(words)


def _carry_out(
    inputs: Iterable[BadInput], folder: Path, seed: int, limit: float
) -> Iterator[Result]:
    good = folder / "good"
    good.mkdir()
    here = Path.cwd()
    os.chdir(good)
    output, sys.stdout = sys.stdout, sys.stderr
    try:
        make_good(good)
    finally:
        sys.stdout = output
        os.chdir(here)
    waiting = list(enumerate(inputs))[::-1]
    running: list[_Try] = []
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            number, given = waiting.pop()
            chance = random.Random(f"{seed} {given.name}")
            running.append(_begin(given, good, folder / f"{number}", chance, limit))
        for each in list(running):
            outcome = each.started.outcome()
            if outcome is None:
                continue
            running.remove(each)
            given = each.given
            verdict = judge(outcome, given.named, each.folder, each.before, may_pass=given.may_pass)
            shutil.rmtree(each.folder, ignore_errors=True)
            yield Result(given, verdict, outcome.seconds)
        time.sleep(_PAUSE)


def _begin(given: BadInput, good: Path, folder: Path, chance: random.Random, limit: float) -> _Try:
    folder.mkdir()
    for name in given.needs:
        copy = shutil.copytree if (good / name).is_dir() else shutil.copy2
        copy(good / name, folder / name)
    given.prepare(folder, chance)
    before = snapshot(folder)
    return _Try(given, folder, before, Started(list(given.arguments), folder, limit))


def _wrong(results: Iterable[Result]) -> Iterator[Result]:
    return (each for each in results if each.verdict.kind)


def _told(result: Result) -> str:
    given = result.given
    return f"{result.verdict.kind}: {given.kind}: {given.name}: {result.verdict.words}"


def _counts(results: list[Result]) -> dict[str, dict[str, int]]:
    rows: dict[str, Counter[str]] = {}
    for each in results:
        for row in (each.given.kind, "all"):
            counter = rows.setdefault(row, Counter())
            counter["inputs"] += 1
            counter[each.verdict.kind] += 1
    return {
        kind: {column: rows[kind][column] for column in ("inputs", *FAULTS)}
        for kind in sorted(rows, key=lambda kind: (kind == "all", kind))
    }


def _print(results: list[Result], counts: dict[str, dict[str, int]], seconds: float) -> None:
    print(f"{'kind':16}" + "".join(f"{column:>11}" for column in ("inputs", *FAULTS)))
    for kind, row in counts.items():
        print(f"{kind:16}" + "".join(f"{value:11}" for value in row.values()))
    slowest = max(results, key=lambda each: each.seconds)
    print(f"{seconds:.0f} s; the slowest command {slowest.seconds:.1f} s: {slowest.given.name}")
