"""The losses against loops that follow the equations (Eq. 6-9)."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from apnet.losses import apnet_loss, batch_hard_triplet, smoothed_cross_entropy


def literal_triplet(features, labels, margin):
    """Eq. 6 by loops: every anchor, its hardest positive (itself included), hardest negative."""
    total = 0.0
    for i, anchor in enumerate(features):
        positive = max(
            torch.linalg.vector_norm(anchor - other).item()
            for other, label in zip(features, labels, strict=True)
            if label == labels[i]
        )
        negative = min(
            (
                torch.linalg.vector_norm(anchor - other).item()
                for other, label in zip(features, labels, strict=True)
                if label != labels[i]
            ),
            default=math.inf,
        )
        total += max(0.0, positive - negative + margin)
    return total / len(features)


def literal_cross_entropy(logits, labels, smoothing):
    """Eq. 8 by loops."""
    count, classes = logits.shape
    total = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        log_sum = math.log(sum(math.exp(value) for value in row))
        for k, value in enumerate(row):
            target = (1 - smoothing) * (k == label) + smoothing / classes
            total -= target * (value - log_sum)
    return total / count


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=12),
    st.integers(1, 9),
    st.floats(0, 2),
    st.integers(0, 999),
)
def test_triplet_follows_the_equation(labels, dimension, margin, seed):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(len(labels), dimension, generator=generator, dtype=torch.float64)
    expected = literal_triplet(features, labels, margin)
    found = batch_hard_triplet(features, torch.tensor(labels), margin)
    assert found.item() == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_triplet_gradient_is_finite_for_equal_images_and_lone_persons():
    features = torch.zeros(4, 3, requires_grad=True)
    batch_hard_triplet(features, torch.tensor([0, 0, 0, 0])).backward()
    assert torch.isfinite(features.grad).all()
    features = torch.zeros(4, 3, requires_grad=True)
    batch_hard_triplet(features, torch.tensor([0, 0, 1, 2])).backward()
    assert torch.isfinite(features.grad).all()


def test_triplet_searches_the_candidates():
    anchors, labels = torch.tensor([[0.0]]), torch.tensor([0])
    candidates = (torch.tensor([[0.0], [3.0], [1.0]]), torch.tensor([0, 0, 1]))
    assert batch_hard_triplet(anchors, labels, 0.5, candidates).item() == pytest.approx(2.5)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(1, 6), st.integers(1, 7), st.floats(0, 0.9), st.integers(0, 999))
def test_smoothing_follows_the_equation(count, classes, smoothing, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(count, classes, generator=generator, dtype=torch.float64)
    labels = torch.randint(classes, (count,), generator=generator)
    expected = literal_cross_entropy(logits, labels, smoothing)
    found = smoothed_cross_entropy(logits, labels, smoothing)
    assert found.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_total_is_the_weighted_sum_over_branches():
    torch.manual_seed(0)
    labels = torch.tensor([0, 0, 1, 1])
    pooled, logits = [torch.randn(4, 5) for _ in range(3)], [torch.randn(4, 2) for _ in range(3)]
    parts = apnet_loss(pooled, logits, labels, smoothing=0.2, margin=0.4, weight=0.7)
    triplet = sum(literal_triplet(each, labels.tolist(), 0.4) for each in pooled) / 3
    entropy = sum(literal_cross_entropy(each, labels, 0.2) for each in logits) / 3
    assert parts.classification.item() == pytest.approx(entropy, rel=1e-5)
    assert parts.triplet.item() == pytest.approx(triplet, rel=1e-5)
    assert parts.total.item() == pytest.approx(entropy + 0.7 * triplet, rel=1e-5)
