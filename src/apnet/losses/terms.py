"""One term of an objective, as a user writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from apnet.losses.batch import LossBatch

Loss = Callable[[LossBatch], Tensor]
"""A user's own loss: from what it sees of one branch to a scalar; a module or a function."""


@dataclass(frozen=True)
class Term:
    """A loss and its weight; ``build_objective`` checks it.

    Attributes:
        name: a name in ``LOSSES``, or any other for a loss of one's own. The term's value is
            reported under it.
        weight: what the loss is multiplied by, at least 0.
        options: changes of the loss's defaults by name.
        loss: a loss of one's own; None takes the one of this name from ``LOSSES``, or from the
            ``own`` losses that are given to ``build_objective``.
    """

    name: str
    weight: float = 1.0
    options: Mapping[str, float] = field(default_factory=dict)
    loss: Loss | None = None
