"""What a loss sees of a batch, and how a loss sees the batch of all processes.

**Several processes.** A loss over pairs of images has to see the pairs between processes as well.
Every process therefore gathers the features of all P processes and computes the same value L of
the global batch. In the backward pass, gathering sums the gradients that all processes have for a
process's own rows z_p, which gives P * dL/dz_p. Averaging the weights' gradients over processes,
as training does, divides by P and sums over p: the sum of dL/dz_p * dz_p/dw, which is the gradient
of the global batch. A loss's own parameters (class weights, centres) have the whole gradient dL/dw
on every process, and the average leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from apnet.devices import without_autocast

Needs = Literal["logits", "pooled", "neck"]
"""What a loss reads of a ``LossBatch``."""


def own_rows(rows: Tensor) -> Tensor:
    """Returns the rows unchanged: one process has them all."""
    return rows


@dataclass(frozen=True, eq=False)
class LossBatch:
    """What a loss sees of one branch of the network, for one batch.

    Attributes:
        pooled: (N, D) float, the feature before the BN neck.
        neck: (N, D) float, the feature after the BN neck; None where there is no neck.
        logits: (N, K) float, the classifier's outputs, or (R*N, K) where R classifiers belong to
            one feature; None where there is no classifier.
        labels: (N,) int64 in [0, K).
        candidates: pooled features (M, D) and labels (M,) of all processes, which the batch-hard
            triplet searches; None searches this process's own.
        gather: concatenates the (n, ...) rows of all processes in rank order, differentiably:
            (P * n, ...). Its backward pass sums over processes.
    """

    pooled: Tensor
    neck: Tensor | None
    logits: Tensor | None
    labels: Tensor
    candidates: tuple[Tensor, Tensor] | None = None
    gather: Callable[[Tensor], Tensor] = own_rows


class GlobalBatch(nn.Module):
    """A loss of features and labels, computed on the rows of all processes.

    Computes in float32 at least, outside autocast. Losses from other libraries fit in as they are:
    ``GlobalBatch(SomeLoss(), "pooled")``.

    Args:
        loss: from (M, D) features and (M,) labels to a scalar.
        needs: the features: ``pooled``, or ``neck``, for which ``pooled`` is taken where the
            network has no BN neck.
    """

    def __init__(self, loss: nn.Module, needs: Literal["pooled", "neck"]) -> None:
        super().__init__()
        self.loss = loss
        self.needs = needs

    def forward(self, batch: LossBatch) -> Tensor:
        """Returns the loss of the global batch, a scalar, the same on every process."""
        features = batch.pooled
        if self.needs == "neck" and batch.neck is not None:
            features = batch.neck
        features = features.to(torch.promote_types(features.dtype, torch.float32))
        with without_autocast(features.device):
            loss: Tensor = self.loss(batch.gather(features), batch.gather(batch.labels))
        return loss
