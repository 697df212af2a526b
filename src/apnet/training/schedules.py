"""Learning-rate schedules by name (section IV-B), each with the warm-up of the released recipe."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from apnet.config import ScheduleConfig
from apnet.naming import look_up

OwnSchedule = Callable[[int], float]
"""A schedule of one's own: from the epoch, counted from 0, to a factor of the initial rate."""

_OF_EVERY_SCHEDULE = ("name", "warmup_epochs", "warmup_factor")


@dataclass(frozen=True)
class Moment:
    """Where a run is when the rate of an epoch is asked for.

    Attributes:
        epoch: the epoch, from 0.
        epochs: of the whole run.
        losses: mean training loss of every finished epoch.
    """

    epoch: int
    epochs: int
    losses: Sequence[float] = ()


@dataclass(frozen=True)
class ScheduleKind:
    """A named schedule.

    Attributes:
        factor: what the initial rate is multiplied by, without warm-up.
        settings: the fields of ``ScheduleConfig`` that it reads.
    """

    factor: Callable[[Moment, ScheduleConfig], float]
    settings: tuple[str, ...] = ()


def step(moment: Moment, config: ScheduleConfig) -> float:
    """Multiplies by ``decay_factor`` every ``decay_every`` epochs: the paper's schedule."""
    return float(config.decay_factor ** (moment.epoch // config.decay_every))


def cosine(moment: Moment, config: ScheduleConfig) -> float:
    """Falls from 1 to ``minimum`` along half a cosine, after the warm-up (Loshchilov, Hutter)."""
    begin = min(config.warmup_epochs, moment.epochs - 1)
    done = max(moment.epoch - begin, 0) / max(moment.epochs - begin, 1)
    return config.minimum + (1 - config.minimum) * (1 + math.cos(math.pi * done)) / 2


def plateau(moment: Moment, config: ScheduleConfig) -> float:
    """Multiplies by ``decay_factor`` after ``patience`` epochs without a lower training loss."""
    factor, lowest, waited = 1.0, math.inf, 0
    for loss in moment.losses[: moment.epoch]:
        waited = 0 if loss < lowest else waited + 1
        lowest = min(lowest, loss)
        if waited == config.patience:
            factor, waited = factor * config.decay_factor, 0
    return max(factor, config.minimum)


def constant(moment: Moment, config: ScheduleConfig) -> float:
    """Stays at 1."""
    return 1.0


SCHEDULES: Mapping[str, ScheduleKind] = {
    "step": ScheduleKind(step, ("decay_every", "decay_factor")),
    "cosine": ScheduleKind(cosine, ("minimum",)),
    "plateau": ScheduleKind(plateau, ("decay_factor", "patience", "minimum")),
    "constant": ScheduleKind(constant),
}
"""Adding a schedule: its function, and a line here."""


def learning_rate(
    moment: Moment, initial: float, config: ScheduleConfig, own: OwnSchedule | None = None
) -> float:
    """Returns the rate of an epoch.

    During its first epochs the rate of the schedule is multiplied by a factor that rises linearly
    from ``warmup_factor`` to 1. A schedule of one's own is taken as it is, without warm-up.

    Args:
        moment: which epoch.
        initial: the initial rate.
        config: name and settings of the schedule.
        own: a schedule of one's own, in place of the named one.
    """
    if own is not None:
        return initial * own(moment.epoch)
    rate = initial * schedule_named(config.name).factor(moment, config)
    if moment.epoch < config.warmup_epochs:
        share = moment.epoch / config.warmup_epochs
        rate *= config.warmup_factor * (1 - share) + share
    return rate


def schedule_named(name: str) -> ScheduleKind:
    """Returns the schedule of this name.

    Raises:
        ConfigError: there is none.
    """
    return look_up("schedule", name, SCHEDULES)


def settings_of_schedule(name: str) -> tuple[str, ...]:
    """Returns the fields of ``ScheduleConfig`` that a schedule reads."""
    return (*_OF_EVERY_SCHEDULE, *schedule_named(name).settings)
