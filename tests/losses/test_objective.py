"""The weighted sum of losses over branches."""

import pytest
import torch
from loss_batches import CLASSES, LABELS, random_features
from torch import nn

from apnet.losses import GlobalBatch, LossBatch, Objective, Term, apnet_loss, build_objective

PAPER = (
    Term("cross-entropy", options={"label_smoothing": 0.2}),
    Term("triplet", 0.7, {"margin": 0.4}),
)


class Branches(nn.Module):
    """A trunk and two branches of different widths, each with a neck and a classifier."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(3, 8)
        self.bodies = nn.ModuleList([nn.Linear(8, 6), nn.Linear(8, 4)])
        self.necks = nn.ModuleList([nn.BatchNorm1d(6), nn.BatchNorm1d(4)])
        self.classifiers = nn.ModuleList([nn.Linear(6, CLASSES), nn.Linear(4, CLASSES)])

    def forward(self, x):
        shared = self.trunk(x).relu()
        pooled = [body(shared) for body in self.bodies]
        neck = [neck(each) for neck, each in zip(self.necks, pooled, strict=True)]
        logits = [layer(each) for layer, each in zip(self.classifiers, neck, strict=True)]
        return pooled, neck, logits


def ran(half, objective):
    """Loss values and all gradients, by ``apnet_loss`` or by an objective."""
    torch.manual_seed(0)
    network = Branches()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        pooled, neck, logits = network(random_features(dtype=torch.float32))
    candidates = [(each.float(), LABELS) for each in pooled]
    if objective is None:
        values = apnet_loss(
            pooled, logits, LABELS, smoothing=0.2, margin=0.4, weight=0.7, candidates=candidates
        )
    else:
        rows = zip(pooled, neck, logits, candidates, strict=True)
        batches = [LossBatch(p, n, k, LABELS, among) for p, n, k, among in rows]
        values = objective(batches).values()
    values = list(values)
    values[0].backward()
    return [value.detach() for value in values], [each.grad for each in network.parameters()]


@pytest.mark.parametrize("half", [False, True])
def test_the_papers_terms_are_the_papers_loss_bit_for_bit(half):
    objective = build_objective(PAPER, CLASSES, [6, 4])
    assert not list(objective.parameters())
    expected, gradients = ran(half, None)
    found, found_gradients = ran(half, objective)
    for a, b in zip(found + found_gradients, expected + gradients, strict=True):
        assert torch.equal(a, b)


def test_values_are_named_and_weighted():
    objective = build_objective([*PAPER, Term("center", 0.5)], CLASSES, [3])
    batch = LossBatch(random_features(), None, random_features().repeat(1, 2)[:, :CLASSES], LABELS)
    values = objective([batch])
    assert list(values) == ["loss", "cross-entropy", "triplet", "center"]
    expected = values["cross-entropy"] + 0.7 * values["triplet"] + 0.5 * values["center"]
    assert values["loss"].item() == pytest.approx(expected.item())
    assert list(build_objective(PAPER[::-1], CLASSES, [3])([batch])) == [
        *("loss", "triplet", "cross-entropy")
    ]


def test_a_loss_with_parameters_has_some_for_every_branch():
    objective = build_objective([Term("center"), Term("triplet")], CLASSES, [3, 6])
    assert [each.shape for each in objective.parameters()] == [(CLASSES, 3), (CLASSES, 6)]
    features = random_features(dtype=torch.float32)
    batches = [
        LossBatch(each, None, None, LABELS) for each in (features, features.repeat(1, 2) + 1)
    ]
    found = objective(batches)["center"]
    per_branch = [loss(batch) for loss, batch in zip(objective.losses[0], batches, strict=True)]
    assert torch.equal(found, (per_branch[0] + per_branch[1]) / 2)
    found.backward()
    assert all(each.grad is not None for each in objective.parameters())


def test_parameters_come_back_from_the_state():
    first, second = (build_objective([Term("center")], CLASSES, [3, 6]) for _ in range(2))
    batches = [LossBatch(random_features().repeat(1, n), None, None, LABELS) for n in (1, 2)]
    assert first(batches)["loss"] != second(batches)["loss"]
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(batches)["loss"], second(batches)["loss"])


class Spread(nn.Module):
    """A loss of one's own with a parameter."""

    def __init__(self):
        super().__init__()
        self.rate = nn.Parameter(torch.tensor(2.0))

    def forward(self, features, labels):
        return self.rate * features.var()


@pytest.mark.parametrize("by_term", [True, False])
def test_own_losses_are_passed_as_objects(by_term):
    def size(batch):
        return batch.pooled.square().mean()

    spread = GlobalBatch(Spread(), "pooled")
    own = {"size": size, "spread": spread}
    terms = [Term(name, 3.0, loss=own[name] if by_term else None) for name in own]
    objective = build_objective(terms, 0, [3, 3], {} if by_term else own)
    features = random_features()
    values = objective([LossBatch(features * scale, None, None, LABELS) for scale in (1, 3)])
    assert values["size"].item() == pytest.approx(5 * features.square().mean().item())
    assert values["spread"].item() == pytest.approx(10 * features.var().item())
    assert list(objective.parameters()) == [spread.loss.rate]


def test_a_list_of_own_losses_has_one_per_branch():
    own = nn.ModuleList([GlobalBatch(Spread(), "pooled") for _ in range(2)])
    with torch.no_grad():
        own[1].loss.rate.fill_(5)
    objective = build_objective([Term("spread")], 0, [3, 3], {"spread": own})
    features = random_features()
    values = objective([LossBatch(features, None, None, LABELS)] * 2)
    assert values["loss"].item() == pytest.approx(3.5 * features.var().item())


def test_an_objective_takes_built_terms():
    objective = Objective([("mean", 2.0, lambda batch: batch.pooled.mean())])
    features = random_features()
    assert objective([LossBatch(features, None, None, LABELS)])["loss"] == 2 * features.mean()
