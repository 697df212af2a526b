"""The learning rate of every epoch (section IV-B), with the released recipe's warm-up."""

from __future__ import annotations

from apnet.config import Optimisation, ReleasedExtras


def learning_rate(epoch: int, optimisation: Optimisation, extras: ReleasedExtras) -> float:
    """Returns the rate of an epoch counted from 0.

    The paper divides the initial rate by 10 every 40 epochs; the released recipe multiplies it
    during its first epochs by a factor that rises linearly to 1.
    """
    rate: float = optimisation.rate * optimisation.decay_factor ** (
        epoch // optimisation.decay_every
    )
    if epoch < extras.warmup_epochs:
        share = epoch / extras.warmup_epochs
        rate *= extras.warmup_factor * (1 - share) + share
    return rate
