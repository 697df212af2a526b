"""What is kept of a finished run: its figures with their cards, in one JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from apnet.files import is_file, open_form, read_json, write_json
from apnet.reproduction.definitions import figure_labels
from apnet.results import Evaluation
from apnet.retrieval import Slice

Record = Mapping[str, Any]
"""``run``, ``seed``, ``device``, ``versions`` and, by data set, ``tests``."""


@open_form
class _Part(TypedDict):
    by: str
    name: str


@open_form
class _Test(TypedDict):
    mAP: float
    breakdown: list[_Part]


@open_form
class _Record(TypedDict):
    run: str
    seed: int
    tests: dict[str, _Test]


def record_of(evaluation: Evaluation, slices: list[Slice]) -> dict[str, Any]:
    """Returns the JSON form of one evaluation with its breakdown."""
    return {**evaluation.to_dict(), "breakdown": [part.to_dict() for part in slices]}


def figures_of(test: Mapping[str, Any]) -> dict[str, float]:
    """Returns the figures that tables show as fractions, those of twins where there are any."""
    twins = {part["name"]: part["accuracy"] for part in test["breakdown"] if part["by"] == "twins"}
    figures = {key: twins.get(key, test.get(key)) for key in figure_labels()}
    return {key: value for key, value in figures.items() if value is not None}


def result_path(out: Path, run: str) -> Path:
    """Returns where a run's record lies."""
    return out / "results" / f"{run}.json"


def write_record(out: Path, record: Record) -> None:
    """Writes a run's record; it is what says that the run is finished.

    Raises:
        DataError: the folder is not writable.
    """
    write_json(result_path(out, record["run"]), record)


def read_record(out: Path, run: str) -> Record | None:
    """Reads a run's record; None where the run is not finished.

    Raises:
        DataError: the file is damaged.
    """
    path = result_path(out, run)
    if not is_file(path):
        return None
    return read_json(path, _Record, "remove it, and the run is repeated")
