"""What an experiment is: rows, columns, and the figures that the paper prints in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from apnet.config import NetworkConfig
from apnet.retrieval.metrics.registry import comparison_labels

TWIN_FIGURES: Mapping[str, str] = {"coarse": "coarse twins", "fine": "fine twins"}
"""Column titles of the breakdown by twins, by kind of twins."""


def figure_labels() -> dict[str, str]:
    """Returns the column titles of tables by the key of the figure in results."""
    return {**comparison_labels(), **TWIN_FIGURES}


@dataclass(frozen=True)
class System:
    """A row: a network."""

    key: str
    """Names runs and their folders."""
    name: str
    """As the paper calls it."""
    network: NetworkConfig
    """At full scale."""
    recipe: str = "paper-c"
    """The shipped recipe that trains it at full scale; its own network is replaced."""
    against: str | None = None
    """The key of the row that its figures are tested against."""
    multipart_on: tuple[str, ...] = ()
    """Data sets on which it gets the multi-part branch (section IV-D)."""


@dataclass(frozen=True)
class Trial:
    """A group of columns: where networks are trained, and where they are tested."""

    train: str
    test: str

    @property
    def key(self) -> str:
        """Names the trial in results."""
        return self.train if self.train == self.test else f"{self.train}->{self.test}"


@dataclass(frozen=True)
class Experiment:
    """A table or figure of the paper that takes training."""

    name: str
    """As the command line takes it."""
    title: str
    systems: tuple[System, ...]
    trials: tuple[Trial, ...]
    figures: tuple[str, ...]
    """Keys of ``figure_labels`` that the paper prints."""
    paper: Mapping[str, Mapping[str, tuple[float | None, ...]]] = field(default_factory=dict)
    """Percentages by trial and system, in the order of ``figures``."""
    notes: tuple[str, ...] = ()
    """What a reader of the table must know."""
    own_backbones: bool = False
    """Whether the backbones are the question, so that a smaller scale must keep them apart."""
