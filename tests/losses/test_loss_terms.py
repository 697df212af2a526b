"""Wrong terms are refused before any work, in one line that names the remedy."""

import sys

import pytest
import torch
from torch import nn

from apnet.errors import ConfigError, MissingExtraError
from apnet.losses import (
    LOSSES,
    LossBatch,
    Term,
    build_objective,
    check_sampling,
    check_terms,
)


def mean(batch):
    return batch.pooled.mean()


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ([], "no loss has a weight above 0"),
        ([Term("triplet", 0), Term("center", 0.0)], "no loss has a weight above 0"),
        ([Term("tripelt")], "no loss 'tripelt'; did you mean 'triplet'"),
        ([Term("xyz")], "no loss 'xyz'; there are: cross-entropy, triplet, "),
        ([Term("triplet"), Term("triplet", 2)], "two loss terms have the name 'triplet'"),
        ([Term("triplet", options={"margins": 1})], "option 'margins'; did you mean 'margin'"),
        ([Term("triplet", options={"xyz": 1})], "option 'xyz'; there are: margin"),
        ([Term("center", options={"margin": 1})], "has no option 'margin'; there are none"),
        ([Term("triplet", -1)], "'triplet' has the weight -1; .* at least 0"),
        ([Term("triplet", float("nan"))], "has the weight nan"),
        ([Term("triplet", float("inf"))], "has the weight inf"),
        ([Term("triplet", options={"margin": -0.1})], "margin = -0.1; it must be at least 0$"),
        ([Term("triplet", options={"margin": float("nan")})], "margin = nan"),
        ([Term("triplet", options={"margin": float("inf")})], "margin = inf"),
        ([Term("cross-entropy", options={"label_smoothing": 1})], "at least 0 and below 1"),
        ([Term("supcon", options={"temperature": 0})], "temperature = 0; it must be above 0"),
        ([Term("ms", options={"base": -2})], "base = -2; it must be at least -1 and below 2"),
        ([Term("triplet", loss=mean)], "own loss 'triplet' has a name that is taken"),
        ([Term("loss", loss=mean)], "own loss 'loss' has a name that is taken"),
        ([Term("mine", options={"a": 1}, loss=mean)], "own loss 'mine' takes no options"),
    ],
)
def test_wrong_terms_are_refused(terms, message):
    with pytest.raises(ConfigError, match=message) as caught:
        build_objective(terms, 5, [3])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name, kind in LOSSES.items() if kind.per_class])
def test_losses_per_class_need_classes(name):
    with pytest.raises(ConfigError, match=f"'{name}' needs a network with num_classes above 0"):
        check_terms([Term(name)], 0)
    check_terms([Term(name)], 1)


@pytest.mark.parametrize("name", [name for name, kind in LOSSES.items() if not kind.per_class])
def test_other_losses_need_no_classes(name):
    check_terms([Term(name)], 0)


@pytest.mark.parametrize("kind", LOSSES.values(), ids=LOSSES)
def test_defaults_are_in_range(kind):
    assert all(kind.settings[name].accepts(value) for name, value in kind.options.items())


def test_own_losses_that_are_not_used_are_refused():
    with pytest.raises(ConfigError, match="own loss 'mien' has no term; did you mean 'mine'"):
        check_terms([Term("mine", loss=mean)], 0, {"mien": mean})
    with pytest.raises(ConfigError, match="no loss 'mien'; did you mean 'mine'"):
        check_terms([Term("mine"), Term("mien")], 0, {"mine": mean})


def test_a_list_of_own_losses_must_fit_the_branches():
    own = nn.ModuleList([nn.Identity()])
    with pytest.raises(ConfigError, match="list of 1 losses for 2 branches; give one per branch"):
        build_objective([Term("mine")], 0, [3, 3], {"mine": own})


def test_a_network_without_logits_is_refused_by_cross_entropy():
    objective = build_objective([Term("cross-entropy")], 2, [3])
    with pytest.raises(ConfigError, match="num_classes above 0"):
        objective([LossBatch(torch.ones(2, 3), None, None, torch.tensor([0, 1]))])


@pytest.mark.parametrize("name", ["circle", "arcface", "cosface", "supcon", "proxy-anchor", "ms"])
def test_a_missing_library_is_named_with_its_extra(name, monkeypatch):
    for module in ("losses", "miners", "reducers"):
        monkeypatch.setitem(sys.modules, f"pytorch_metric_learning.{module}", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'apnet-reid\[losses\]'"):
        build_objective([Term(name)], 5, [3])


@pytest.mark.parametrize("name", LOSSES)
def test_sampling_must_give_the_pairs(name):
    kind = LOSSES[name]
    check_sampling([Term(name)], kind.least_identities, kind.least_images)
    for setting, sizes in (
        ("identities_per_batch", (kind.least_identities - 1, 4)),
        ("images_per_identity", (4, kind.least_images - 1)),
    ):
        with pytest.raises(ConfigError, match=f"'{name}' needs sampling.{setting} of at least"):
            check_sampling([Term(name)], *sizes)


def test_sampling_needs():
    needs = {name: (kind.least_identities, kind.least_images) for name, kind in LOSSES.items()}
    assert {name for name, need in needs.items() if need == (2, 2)} == {"circle", "supcon", "ms"}
    assert needs["triplet"] == (2, 1)
    assert needs["cross-entropy"] == (1, 1)


def test_sampling_is_not_checked_for_idle_and_own_losses():
    check_sampling([Term("triplet", 0), Term("mine", loss=mean), Term("other")], 1, 1)
