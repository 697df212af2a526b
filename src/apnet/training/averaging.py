"""The exponential moving average of a network's weights, which is evaluated and saved."""

from __future__ import annotations

import copy

import torch

from apnet.model import APNet


class AveragedNetwork:
    """A copy of a network that follows it: ``average = d * average + (1 - d) * weights``.

    It begins with the network's initial weights, of which ``d^n`` remains after n updates: a
    network that is fine-tuned briefly keeps a part of what it was. Batch-norm statistics are
    averaged too; counters are copied.

    Args:
        network: to follow.
        decay: d, at least 0 and below 1.
    """

    def __init__(self, network: APNet, decay: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self._decay = decay

    @torch.no_grad()
    def update(self, network: APNet) -> None:
        """Moves the average towards the network's weights."""
        weights = network.state_dict()
        for name, average in self.network.state_dict().items():
            if average.is_floating_point():
                average.lerp_(weights[name], 1 - self._decay)
            else:
                average.copy_(weights[name])
