"""What the table of losses says about each loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from apnet.losses.batch import Needs


@dataclass(frozen=True)
class Setting:
    """A loss's option: its default and its range, from ``low`` to below ``high``.

    Attributes:
        default: the published value.
        low: the least value.
        high: the value to stay below.
        positive: whether 0 is excluded, for scales and temperatures.
    """

    default: float
    low: float = 0.0
    high: float = math.inf
    positive: bool = False

    def accepts(self, value: float) -> bool:
        """Returns whether the value is in the range; NaN and infinities never are."""
        return self.low <= value < self.high and not (self.positive and value <= 0)

    @property
    def range(self) -> str:
        """The range in words, such as ``at least 0 and below 1``."""
        low = "above 0" if self.positive else f"at least {self.low:g}"
        return low if self.high == math.inf else f"{low} and below {self.high:g}"


@dataclass(frozen=True)
class LossKind:
    """A loss that can be chosen by name.

    Attributes:
        build: ``build(num_classes, feature_dim, **options)`` returns a module from a ``LossBatch``
            to a scalar tensor.
        settings: the options by name.
        needs: what the loss reads of a ``LossBatch``.
        least_images: images of each identity that a batch must hold.
        least_identities: identities that a batch must hold.
        per_class: whether there is a logit, weight or centre per training identity, so that
            ``num_classes`` must be above 0.
    """

    build: Callable[..., nn.Module]
    settings: Mapping[str, Setting]
    needs: Needs
    least_images: int = 1
    least_identities: int = 1
    per_class: bool = False

    @property
    def options(self) -> dict[str, float]:
        """The defaults of the options by name."""
        return {name: setting.default for name, setting in self.settings.items()}
