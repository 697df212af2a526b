"""What all requests of a service share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apnet.service.batching import Batcher
from apnet.service.keys import Key
from apnet.service.limits import Limits
from apnet.service.metrics import Metrics
from apnet.service.rates import Rates

if TYPE_CHECKING:
    from apnet.gallery import Gallery


@dataclass(frozen=True, eq=False)
class Service:
    """An open gallery, the thread that embeds, and who may ask how much.

    Attributes:
        keys: ``None`` where everybody who reaches the service may do everything.
        hosts: names under which it may be asked; none for all.
    """

    gallery: Gallery
    batcher: Batcher
    keys: Sequence[Key] | None
    hosts: Sequence[str]
    limits: Limits
    metrics: Metrics
    rates: Rates
