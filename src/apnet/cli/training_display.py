"""The progress bar of a training run."""

from __future__ import annotations

from rich.progress import TextColumn

from apnet.cli.terminal import bars, say
from apnet.results import Evaluation
from apnet.retrieval import format_evaluation, format_evaluations


class TrainingDisplay:
    """Shows epoch, loss and the time left; used as a context manager."""

    def __init__(self, name: str, epochs: int) -> None:
        self._name, self._epochs = name, epochs
        self._bar = bars(TextColumn("{task.fields[loss]}"))
        self._task = self._bar.add_task(name, total=None, loss="")
        self._evaluations: dict[str, Evaluation] = {}

    def __enter__(self) -> TrainingDisplay:
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def step(self, epoch: int, step: int, steps: int, loss: float, rate: float) -> None:
        """Moves the bar by a step; epochs are taken to be of equal length."""
        self._bar.update(
            self._task,
            description=f"{self._name} epoch {epoch + 1}/{self._epochs}",
            completed=epoch * steps + step + 1,
            total=self._epochs * steps,
            loss=f"loss {loss:.3f}",
        )

    def evaluation(self, name: str, evaluation: Evaluation) -> None:
        """Keeps the newest evaluation of every data set, for ``report``."""
        self._evaluations[name] = evaluation

    def report(self) -> None:
        """Prints the newest evaluations."""
        if len(self._evaluations) == 1:
            say(format_evaluation(next(iter(self._evaluations.values()))))
        elif self._evaluations:
            say(format_evaluations(self._evaluations))

    def epoch(self, entry: dict[str, float]) -> None:
        """Notes an evaluation's figures above the bar."""
        if "mAP" in entry:
            self._bar.console.print(
                f"{self._name} epoch {entry['epoch']:.0f}: "
                f"mAP {entry['mAP']:.1%}, rank-1 {entry['rank1']:.1%}"
            )
