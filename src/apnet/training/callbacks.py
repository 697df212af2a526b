"""Callbacks of training: a progress bar, TensorBoard, one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from apnet.extras import require
from apnet.results import Evaluation


class Callback(Protocol):
    """Called after every step, epoch and evaluation, in the leading process."""

    def step(self, epoch: int, step: int, steps: int, loss: float, rate: float) -> None:
        """A step is done; epoch and step count from 0, ``steps`` in this epoch."""

    def epoch(self, entry: dict[str, float]) -> None:
        """An epoch is done and saved; ``entry`` is its line of the history."""

    def evaluation(self, name: str, evaluation: Evaluation) -> None:
        """A data set was evaluated."""


class NoCallback:
    """A callback that does nothing; one's own can derive from it and say what it needs."""

    def step(self, epoch: int, step: int, steps: int, loss: float, rate: float) -> None:
        """Does nothing."""

    def epoch(self, entry: dict[str, float]) -> None:
        """Does nothing."""

    def evaluation(self, name: str, evaluation: Evaluation) -> None:
        """Does nothing."""


class Callbacks:
    """Calls several callbacks in order."""

    def __init__(self, *callbacks: Callback) -> None:
        self._callbacks = callbacks

    def step(self, epoch: int, step: int, steps: int, loss: float, rate: float) -> None:
        """Calls each one's ``step``."""
        for callback in self._callbacks:
            callback.step(epoch, step, steps, loss, rate)

    def epoch(self, entry: dict[str, float]) -> None:
        """Calls each one's ``epoch``."""
        for callback in self._callbacks:
            callback.epoch(entry)

    def evaluation(self, name: str, evaluation: Evaluation) -> None:
        """Calls each one's ``evaluation``."""
        for callback in self._callbacks:
            callback.evaluation(name, evaluation)


class TensorBoard:
    """Writes the figures of every epoch as scalars; needs the extra ``tensorboard``.

    Args:
        folder: for the event files.

    Raises:
        MissingExtraError: tensorboard is not installed.
    """

    def __init__(self, folder: Path | str) -> None:
        require("tensorboard", "tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def step(self, epoch: int, step: int, steps: int, loss: float, rate: float) -> None:
        """Does nothing: an epoch's means are written, not single steps."""

    def epoch(self, entry: dict[str, float]) -> None:
        """Writes every figure of the epoch under its name."""
        for name, value in entry.items():
            if name != "epoch":
                self._writer.add_scalar(name, value, int(entry["epoch"]))
        self._writer.flush()

    def evaluation(self, name: str, evaluation: Evaluation) -> None:
        """Does nothing: an epoch's entry has the figures of its evaluations."""
