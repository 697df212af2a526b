"""Who is told how training goes: a progress bar, TensorBoard, a test."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from apnet.extras import require


class Listener(Protocol):
    """Hears of every step and every finished epoch."""

    def step(self, epoch: int, step: int, steps: int, loss: float, rate: float) -> None:
        """A step is done: epoch and step count from 0, ``steps`` in this epoch."""

    def epoch(self, entry: dict[str, float]) -> None:
        """An epoch is done; ``entry`` is its line of the history."""


class Silence:
    """A listener that does nothing."""

    def step(self, epoch: int, step: int, steps: int, loss: float, rate: float) -> None:
        """Hears nothing."""

    def epoch(self, entry: dict[str, float]) -> None:
        """Hears nothing."""


class TensorBoard:
    """Writes an epoch's entries as scalars; needs the extra ``tensorboard``."""

    def __init__(self, folder: Path) -> None:
        require("tensorboard", "tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def step(self, epoch: int, step: int, steps: int, loss: float, rate: float) -> None:
        """Steps are not written: an epoch's means are."""

    def epoch(self, entry: dict[str, float]) -> None:
        """Writes every figure of the epoch under its name."""
        for name, value in entry.items():
            if name != "epoch":
                self._writer.add_scalar(name, value, int(entry["epoch"]))
        self._writer.flush()


class Listeners:
    """Passes everything on to several listeners."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def step(self, epoch: int, step: int, steps: int, loss: float, rate: float) -> None:
        """Passes the step on."""
        for listener in self._listeners:
            listener.step(epoch, step, steps, loss, rate)

    def epoch(self, entry: dict[str, float]) -> None:
        """Passes the epoch on."""
        for listener in self._listeners:
            listener.epoch(entry)
