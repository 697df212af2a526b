"""The further losses against loops that follow their papers' equations."""

import math

import pytest
import torch
from loss_batches import CLASSES, DIMENSION, LABELS, batch_of, built, random_features

from apnet.losses import LOSSES, LossBatch

LIBRARY = ("circle", "arcface", "cosface", "supcon", "proxy-anchor", "ms")


@pytest.fixture(autouse=True)
def _library(request):
    """Skips the tests of the library's losses where it is not installed."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    if parameters.get("name") in LIBRARY:
        pytest.importorskip("pytorch_metric_learning")


def cosine(a, b):
    return (a @ b) / (a.norm() * b.norm())


def pairs(features, labels, i):
    """The cosines of anchor i to its positives and to its negatives."""
    others = [j for j in range(len(labels)) if j != i]
    similar = {j: cosine(features[i], features[j]) for j in others}
    positive = [similar[j] for j in others if labels[j] == labels[i]]
    negative = [similar[j] for j in others if labels[j] != labels[i]]
    return positive, negative


def literal_circle(features, labels, loss, *, margin, scale):
    total = torch.zeros((), dtype=features.dtype)
    for i in range(len(labels)):
        positive, negative = pairs(features, labels, i)
        if not positive or not negative:
            continue
        pull = sum(
            torch.exp(-scale * max(1 + margin - s.item(), 0) * (s - (1 - margin))) for s in positive
        )
        push = sum(torch.exp(scale * max(s.item() + margin, 0) * (s - margin)) for s in negative)
        total = total + torch.log(1 + pull * push)
    return total / len(labels)


def literal_supcon(features, labels, loss, *, temperature):
    total = torch.zeros((), dtype=features.dtype)
    for i in range(len(labels)):
        positive, negative = pairs(features, labels, i)
        if not positive:
            continue
        everyone = torch.log(sum(torch.exp(s / temperature) for s in positive + negative))
        total = total - sum(s / temperature - everyone for s in positive) / len(positive)
    return total / len(labels)


def literal_ms(features, labels, loss, *, alpha, beta, base, epsilon):
    total = torch.zeros((), dtype=features.dtype)
    for i in range(len(labels)):
        positive, negative = pairs(features, labels, i)
        if not positive or not negative:
            continue
        hard_positive = [s for s in positive if s < max(negative) + epsilon]
        hard_negative = [s for s in negative if s > min(positive) - epsilon]
        for sign, rate, hard in ((-1, alpha, hard_positive), (1, beta, hard_negative)):
            inside = sum((torch.exp(sign * rate * (s - base)) for s in hard), torch.zeros(()))
            total = total + torch.log1p(inside) / rate
    return total / len(labels)


def literal_softmax(features, labels, weights, scale, target):
    total = torch.zeros((), dtype=features.dtype)
    for feature, label in zip(features, labels.tolist(), strict=True):
        logits = [cosine(feature, weights[:, k]) for k in range(weights.shape[1])]
        logits[label] = target(logits[label])
        exponentials = [torch.exp(scale * s) for s in logits]
        total = total - torch.log(exponentials[label] / sum(exponentials))
    return total / len(labels)


def literal_arcface(features, labels, loss, *, margin, scale):
    def target(s):
        angle = torch.acos(s)
        if angle <= math.pi - margin:
            return torch.cos(angle + margin)
        return s - margin * math.sin(margin)

    return literal_softmax(features, labels, loss.loss.W, scale, target)


def literal_cosface(features, labels, loss, *, margin, scale):
    return literal_softmax(features, labels, loss.loss.W, scale, lambda s: s - margin)


def literal_proxy_anchor(features, labels, loss, *, margin, scale):
    proxies = loss.loss.proxies
    zero = torch.zeros((), dtype=features.dtype)
    pull, push, present = zero, zero, set(labels.tolist())
    for k in range(len(proxies)):
        similar = [cosine(feature, proxies[k]) for feature in features]
        own = [s for s, label in zip(similar, labels.tolist(), strict=True) if label == k]
        others = [s for s, label in zip(similar, labels.tolist(), strict=True) if label != k]
        pull = pull + torch.log1p(sum((torch.exp(-scale * (s - margin)) for s in own), zero))
        push = push + torch.log1p(sum((torch.exp(scale * (s + margin)) for s in others), zero))
    return pull / len(present) + push / len(proxies)


def literal_center(features, labels, loss):
    total = torch.zeros((), dtype=features.dtype)
    for feature, label in zip(features, labels.tolist(), strict=True):
        total = total + ((feature - loss.loss.centres[label]) ** 2).sum() / 2
    return total / len(labels)


LITERAL = {
    "circle": literal_circle,
    "center": literal_center,
    "arcface": literal_arcface,
    "cosface": literal_cosface,
    "supcon": literal_supcon,
    "proxy-anchor": literal_proxy_anchor,
    "ms": literal_ms,
}
GENTLE = {"circle": {"scale": 8}, "arcface": {"scale": 8}, "cosface": {"scale": 8}}
"""Options that keep every example's gradient well above rounding."""


def test_every_further_loss_has_its_equation():
    assert set(LITERAL) == set(LOSSES) - {"cross-entropy", "triplet"}
    assert set(LIBRARY) == set(LITERAL) - {"center"}


@pytest.mark.parametrize("options", ["published", "gentle"])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", LITERAL)
def test_value_and_gradients_follow_the_equation(name, seed, options):
    changes = GENTLE.get(name, {}) if options == "gentle" else {}
    loss = built(name, **changes)
    features = random_features(seed=seed).requires_grad_()
    found = loss(batch_of(features))
    used = -features if LOSSES[name].needs == "neck" else features
    expected = LITERAL[name](used, LABELS, loss, **LOSSES[name].options | changes)
    assert found.shape == ()
    assert found.item() == pytest.approx(expected.item(), rel=1e-9)
    inputs = [features, *loss.parameters()]
    for a, b in zip(
        torch.autograd.grad(found, inputs), torch.autograd.grad(expected, inputs), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", sorted(set(LITERAL) - {"circle"}))
def test_gradient_is_that_of_the_value(name):
    loss = built(name, **GENTLE.get(name, {}))
    features = random_features(seed=3).requires_grad_()
    assert torch.autograd.gradcheck(lambda rows: loss(batch_of(rows)), [features])


@pytest.mark.parametrize("name", ["circle", "supcon", "ms"])
def test_easy_images_count_in_the_mean(name):
    """Two tight identities, far apart, and a hard third: the mean is over all seven images."""
    features = torch.eye(3, dtype=torch.float64)[[0, 0, 1, 1]]
    hard = torch.tensor([[0.2, 0.1, 1.0], [1.0, 0.9, 0.3], [0.5, -0.5, 0.5]]).double()
    features, labels = torch.cat([features, hard]), torch.tensor([0, 0, 1, 1, 2, 2, 3])
    found = built(name)(batch_of(features, labels)).item()
    expected = LITERAL[name](features, labels, None, **LOSSES[name].options).item()
    assert found == pytest.approx(expected, rel=1e-9)


def test_a_single_mined_pair_counts():
    """One pair of three is too far apart, for one anchor: the library alone would return 0."""
    pytest.importorskip("pytorch_metric_learning")
    features = torch.tensor([[1.0, 0.0], [0.6, 0.8], [-0.1, 1.0]]).double()
    labels = torch.tensor([0, 0, 1])
    options = {"alpha": 2.0, "beta": 50.0, "base": 0.5, "epsilon": 0.0}
    found = built("ms", epsilon=0.0)(batch_of(features, labels)).item()
    assert found > 0.01
    assert found == pytest.approx(literal_ms(features, labels, None, **options).item(), rel=1e-9)


@pytest.mark.parametrize("name", [name for name in LITERAL if LOSSES[name].needs == "neck"])
def test_pooled_features_stand_in_for_a_missing_neck(name):
    loss, features = built(name), random_features()
    alone = loss(LossBatch(features, None, None, LABELS))
    assert torch.equal(alone, loss(LossBatch(torch.zeros_like(features), features, None, LABELS)))


@pytest.mark.parametrize("name", LITERAL)
def test_half_precision_features_are_computed_in_float32(name):
    loss, features = built(name).float(), random_features(dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        found = loss(batch_of(features))
    assert found.dtype == torch.float32
    assert torch.equal(found, loss(batch_of(features.float())))
    assert all(each.dtype == torch.float32 for each in loss.parameters())


@pytest.mark.parametrize("name", LOSSES)
def test_table_says_what_the_loss_reads(name):
    """A loss's value depends on what the table says that it needs, and on nothing else."""
    loss, needs = built(name), LOSSES[name].needs
    inputs = {
        "pooled": random_features(seed=4).requires_grad_(),
        "neck": random_features(seed=5).requires_grad_(),
        "logits": torch.randn(len(LABELS), CLASSES, dtype=torch.float64, requires_grad=True),
    }
    value = loss(LossBatch(**inputs, labels=LABELS))
    gradients = torch.autograd.grad(value, list(inputs.values()), allow_unused=True)
    assert [key for key, each in zip(inputs, gradients, strict=True) if each is not None] == [needs]


def test_per_class_losses_have_a_row_per_class():
    assert built("center", feature_dim=DIMENSION + 1).loss.centres.shape == (CLASSES, DIMENSION + 1)
