"""A run folder: the resolved recipe, what it ran on, its history, and its checkpoints.

| file | what it holds |
|---|---|
| ``run.json`` | recipe, data set, seed, versions, command |
| ``history.json`` | losses, rate, seconds and figures of every finished epoch |
| ``last.safetensors``, ``best.safetensors`` | weights and config, for every other command |
| ``state.safetensors`` | what ``--resume`` continues from |
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apnet._version import __version__
from apnet.config import Recipe, parse, to_dict
from apnet.errors import CheckpointError, ConfigError
from apnet.files import write_json


@dataclass(frozen=True)
class RunFolder:
    """Paths and contents of one run."""

    root: Path

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

    def begin(self, recipe: Recipe, data: Mapping[str, Any]) -> None:
        """Writes ``run.json`` into a new or empty folder.

        Raises:
            ConfigError: the folder holds something already.
        """
        for left in self.root.glob(".run.json.*.part"):  # of a call that was killed
            left.unlink()
        if self.root.exists() and (not self.root.is_dir() or any(self.root.iterdir())):
            raise ConfigError(
                f"{self.root}: exists and is not empty; continue it with --resume, "
                "or choose another --out"
            )
        facts = {
            "recipe": to_dict(recipe),
            "data": dict(data),
            "versions": versions(),
            "command": sys.argv,
        }
        write_json(self.root / "run.json", facts)

    def abandon(self) -> None:
        """Removes a folder in which nothing but ``run.json`` was written."""
        facts = self.root / "run.json"
        if self.root.is_dir() and list(self.root.iterdir()) == [facts]:
            facts.unlink()
            self.root.rmdir()

    def recipe(self) -> Recipe:
        """Reads the recipe back.

        Raises:
            CheckpointError: the folder is no run folder, or its ``run.json`` is damaged.
        """
        return parse(Recipe, self._facts()["recipe"], str(self.root / "run.json"))

    def data(self) -> dict[str, Any]:
        """Reads what ``begin`` noted of the data set."""
        data: dict[str, Any] = self._facts()["data"]
        return data

    def read_history(self) -> list[dict[str, float]]:
        """Reads the finished epochs' entries."""
        entries: list[dict[str, float]] = json.loads(self.history.read_text(encoding="utf-8"))
        return entries

    def _facts(self) -> dict[str, Any]:
        path = self.root / "run.json"
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise CheckpointError(f"{self.root}: no run folder (it has no run.json)") from None
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path}: damaged ({error}); start the run anew") from None
        if not isinstance(facts, dict) or not {"recipe", "data"} <= facts.keys():
            raise CheckpointError(f"{path}: holds no recipe and data; start the run anew")
        return facts


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
