"""The exponential moving average of a network's weights, which is evaluated and saved."""

from __future__ import annotations

import copy

import torch

from apnet.model import APNet


class AveragedNetwork:
    """A copy of a network that follows it: ``average = d * average + (1 - d) * weights``.

    The decay d begins small, ``(1 + n) / (10 + n)`` after n updates, so that the first weights do
    not stay in the average for long. Batch-norm statistics are averaged too; counters are copied.

    Args:
        network: to follow.
        decay: d, at least 0 and below 1.
    """

    def __init__(self, network: APNet, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self._decay = decay

    @torch.no_grad()
    def update(self, network: APNet, updates: int) -> None:
        """Moves the average towards the weights.

        Args:
            network: the network that is trained.
            updates: n, updates of its weights so far, this one included.
        """
        decay = min(self._decay, (1 + updates) / (10 + updates))
        weights = network.state_dict()
        for name, average in self.network.state_dict().items():
            if average.is_floating_point():
                average.lerp_(weights[name], 1 - decay)
            else:
                average.copy_(weights[name])
