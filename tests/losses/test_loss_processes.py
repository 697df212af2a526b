"""Two processes compute the gradient of the global batch (simulated in one process)."""

import pytest
import torch
from loss_batches import LABELS, batch_of, built, random_features

from apnet.losses import LOSSES

HALF = len(LABELS) // 2
# Pairs of one identity stand in different halves, so that losses over pairs must look across.
MIXED = LABELS[torch.tensor([0, 2, 4, 5, 1, 3, 6, 7])]


def gathering(whole):
    """Returns a ``gather`` that finds the process's rows in ``whole`` and gives all rows."""

    def gather(rows):
        assert len(rows) == HALF
        if rows.dtype == torch.int64:
            return MIXED
        sign = 1 if any(torch.equal(rows, half) for half in whole.split(HALF)) else -1
        return sign * whole

    return gather


@pytest.mark.parametrize("name", LOSSES)
def test_the_mean_over_processes_is_the_global_batch(name):
    if name not in ("cross-entropy", "triplet", "center"):
        pytest.importorskip("pytorch_metric_learning")
    loss = built(name)
    whole = random_features(seed=6).requires_grad_()
    inputs = [whole, *loss.parameters()]
    alone = loss(batch_of(whole, MIXED))
    ranks = [
        loss(batch_of(rows, labels, candidates=(whole, MIXED), gather=gathering(whole)))
        for rows, labels in zip(whole.split(HALF), MIXED.split(HALF), strict=True)
    ]
    together = torch.stack(ranks).mean()
    torch.testing.assert_close(together, alone)
    expected = torch.autograd.grad(alone, inputs)
    found = torch.autograd.grad(together, inputs, retain_graph=True)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-7)
    if name not in ("cross-entropy", "triplet"):
        assert torch.equal(*ranks)


def test_a_loss_of_the_own_half_would_differ():
    """The data above tell the global batch from the mean of two halves."""
    pytest.importorskip("pytorch_metric_learning")
    whole, loss = random_features(seed=6), built("supcon")
    halves = [
        loss(batch_of(rows, labels))
        for rows, labels in zip(whole.split(HALF), MIXED.split(HALF), strict=True)
    ]
    assert abs(torch.stack(halves).mean() - loss(batch_of(whole, MIXED))) > 0.1
