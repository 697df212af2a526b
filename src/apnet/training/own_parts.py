"""Parts of a training run that the caller gives as objects, in place of or beside named ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apnet.errors import ConfigError
from apnet.losses import Term
from apnet.model import APNet
from apnet.training.optimisers import OwnOptimiser
from apnet.training.schedules import OwnSchedule


@dataclass(frozen=True)
class OwnParts:
    """What the caller gives.

    Attributes:
        network: trained in place of the recipe's; it is changed in place.
        losses: terms beside the recipe's, each with a ``loss`` of its own.
        optimiser: in place of the recipe's.
        schedule: in place of the recipe's.
    """

    network: APNet | None = None
    losses: Sequence[Term] = ()
    optimiser: OwnOptimiser | None = None
    schedule: OwnSchedule | None = None

    def names(self) -> tuple[str, ...]:
        """Returns what is given; a run folder notes it."""
        parts = [name for name in ("network", "optimiser", "schedule") if getattr(self, name)]
        return (*parts, *(f"loss {term.name}" for term in self.losses))

    def check_complete(self, noted: Sequence[str], folder: str) -> None:
        """Checks that a run goes on with the parts that it began with.

        Raises:
            ConfigError: a part is missing, or one is given that the run did not have.
        """
        given = self.names()
        missing = [name for name in noted if name not in given]
        surplus = [name for name in given if name not in noted]
        if missing:
            raise ConfigError(
                f"{folder}: this run has parts of one's own that its folder does not hold: "
                f"{', '.join(missing)}; continue it from Python and give them"
            )
        if surplus:
            raise ConfigError(
                f"{folder}: this run began without {', '.join(surplus)} of one's own; leave it out"
            )
