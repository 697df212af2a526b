"""A run folder: the resolved recipe, what it was trained on, its history, and its checkpoints.

| file | what it holds |
|---|---|
| ``run.json`` | recipe, data, own parts, arithmetic, changes on resume, versions, command |
| ``history.json`` | losses, rate, seconds and figures of every finished epoch |
| ``last.safetensors``, ``best.safetensors`` | weights and config, for every other command |
| ``state.safetensors`` | what ``--resume`` continues from |
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import NotRequired, TypedDict

from apnet._version import __version__
from apnet.arguments import as_path
from apnet.config import Recipe, parse, to_dict
from apnet.devices import Precision
from apnet.display import summarised
from apnet.errors import CheckpointError, DataError
from apnet.files import LOCK_NAME, claim_folder, is_file, open_form, read_json, write_json

_REMEDY = "take another copy, or start the run anew"


@open_form
class _Record(TypedDict):
    """What ``run.json`` holds."""

    recipe: dict[str, Any]
    data: list[dict[str, Any]] | dict[str, Any]
    own: NotRequired[list[str]]
    changes: NotRequired[list[dict[str, Any]]]
    precision: NotRequired[Precision]


@summarised
@dataclass(frozen=True, repr=False)
class RunFolder:
    """Paths and contents of one run.

    Attributes:
        root: its folder; a ``str`` becomes a ``Path``.
    """

    root: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", as_path(self.root, "run folder"))

    def _rows(self) -> dict[str, object]:
        finished = self.read_history() if is_file(self.history) else []
        rows: dict[str, object] = {"root": self.root, "epochs": f"{len(finished)} finished"}
        files = (self.last, self.best, self.state)
        return {**rows, "files": ", ".join(file.name for file in files if file.is_file()) or "none"}

    @property
    def state(self) -> Path:
        """What ``--resume`` continues from."""
        return self.root / "state.safetensors"

    @property
    def last(self) -> Path:
        """The newest weights; the run's result."""
        return self.root / "last.safetensors"

    @property
    def best(self) -> Path:
        """The weights with the highest mAP on the test split; chosen on test data, so no result."""
        return self.root / "best.safetensors"

    @property
    def history(self) -> Path:
        """One entry per finished epoch."""
        return self.root / "history.json"

    @property
    def record(self) -> Path:
        """What was trained on what."""
        return self.root / "run.json"

    def begin(
        self, recipe: Recipe, data: Sequence[Mapping[str, Any]], own: Sequence[str] = ()
    ) -> None:
        """Writes ``run.json`` into a new or empty folder.

        Args:
            recipe: of the run.
            data: name, root and snapshot of every data set.
            own: names of the parts that the caller gives, such as ``network``.

        Raises:
            ConfigError: the folder holds something already.
        """
        claim_folder(
            self.root,
            self.record.name,
            "exists and is not empty; continue it with --resume, or choose another --out",
        )
        self._write({"recipe": to_dict(recipe), "data": list(data), "own": list(own)})

    def abandon(self) -> None:
        """Removes a folder in which nothing but ``run.json`` was written."""
        if self.root.is_dir() and self._contents() == [self.record.name]:
            self.record.unlink()
            (self.root / LOCK_NAME).unlink(missing_ok=True)
            self.root.rmdir()

    def recipe(self) -> Recipe:
        """Reads the recipe back; that of a run of version 0.1 under its present names.

        Raises:
            CheckpointError: the folder is no run folder, or its ``run.json`` is damaged.
        """
        return parse(Recipe, self._read()["recipe"], str(self.record))

    def data(self) -> list[dict[str, Any]]:
        """Reads what ``begin`` noted of every data set.

        Raises:
            CheckpointError: the folder is no run folder, or its ``run.json`` is damaged.
        """
        data = self._read()["data"]
        sets = data if isinstance(data, list) else [data]  # version 0.1 had one
        for each in sets:
            if not (isinstance(each.get("name"), str) and isinstance(each.get("root"), str)):
                raise CheckpointError(f"{self.record}: 'data' names no data sets; {_REMEDY}")
        return sets

    def own(self) -> tuple[str, ...]:
        """Reads the names of the parts that the caller gave.

        Raises:
            CheckpointError: the folder is no run folder, or its ``run.json`` is damaged.
        """
        return tuple(self._read().get("own", ()))

    def precision(self) -> Precision | None:
        """Reads the arithmetic that the run computes in, or ``None`` where it was not noted.

        Raises:
            CheckpointError: the folder is no run folder, or its ``run.json`` is damaged.
        """
        return self._read().get("precision")

    def note_precision(self, precision: Precision) -> None:
        """Writes the arithmetic beside what is there."""
        self._write({**self._read(), "precision": precision})

    def change(self, recipe: Recipe, change: Mapping[str, Any]) -> None:
        """Writes a changed recipe, and what changed, beside what is there.

        Args:
            recipe: from now on.
            change: since which epoch, and every setting's old and new value.
        """
        facts = self._read()
        changes = [*facts.get("changes", ()), dict(change)]
        if recipe.precision != self.recipe().precision:
            facts.pop("precision", None)  # it is chosen anew
        self._write({**facts, "recipe": to_dict(recipe), "changes": changes})

    def read_history(self) -> list[dict[str, float]]:
        """Reads the finished epochs' entries.

        Raises:
            CheckpointError: there are none, or the file is damaged.
        """
        try:
            return read_json(self.history, list[dict[str, int | float]], _REMEDY)
        except DataError as error:
            raise CheckpointError(str(error)) from None

    def _contents(self) -> list[str]:
        return [entry.name for entry in self.root.iterdir() if entry.name != LOCK_NAME]

    def _write(self, facts: Mapping[str, Any]) -> None:
        write_json(self.record, {**facts, "versions": versions(), "command": sys.argv})

    def _read(self) -> _Record:
        try:
            if not is_file(self.record):
                raise CheckpointError(f"{self.root}: no run folder (it has no run.json)")
            return read_json(self.record, _Record, _REMEDY)
        except DataError as error:
            raise CheckpointError(str(error)) from None


def versions() -> dict[str, str]:
    """Returns the versions that figures depend on."""
    import numpy
    import timm
    import torch
    import torchvision

    return {
        "apnet": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "timm": timm.__version__,
        "numpy": numpy.__version__,
        "platform": platform.platform(),
    }
