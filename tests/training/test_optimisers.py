"""Optimisers by name, parameter groups, clipping, accumulation, and an optimiser of one's own."""

import pytest
import torch
from tiny import Recorder, StopAt, network_of, people, same, tiny, weights_in
from torch import nn

from apnet.checkpoints import read_tensors
from apnet.config import OptimiserConfig
from apnet.errors import ConfigError, Interrupted
from apnet.training import OPTIMISERS, RunFolder, load_recipe, resume_run, train
from apnet.training.optimisers import build_optimiser, set_learning_rate

NO_LOSS_WEIGHTS = nn.Identity()


def built(objective=NO_LOSS_WEIGHTS, **settings):
    network = network_of(tiny())
    return network, build_optimiser(network, objective, OptimiserConfig(**settings))


def trainable(network):
    """Returns the weights that training updates; the BN neck's shift stays at zero."""
    return {name: weight for name, weight in network.named_parameters() if weight.requires_grad}


def names_in(network, group):
    names = {id(weight): name for name, weight in network.named_parameters()}
    return [names[id(weight)] for weight in group["params"]]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)],
)
def test_every_name(name, kind):
    _, optimiser = built(name=name, learning_rate=0.3, weight_decay=0.02, momentum=0.7)
    assert type(optimiser) is kind
    (group,) = optimiser.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.3, 0.02)
    assert group.get("momentum", 0.7) == 0.7
    assert set(OPTIMISERS) == {"adam", "adamw", "sgd"}


def test_a_name_that_does_not_exist():
    with pytest.raises(ConfigError, match="no optimiser is called 'adamm'; did you mean 'adam'"):
        load_recipe("paper-c", ["optimiser.name=adamm"])


def test_the_default_is_one_group_in_the_networks_order():
    network, optimiser = built()
    (group,) = optimiser.param_groups
    assert names_in(network, group) == list(trainable(network))
    assert (group["weight_decay"], group["lr_scale"]) == (1e-3, 1)


def test_norms_and_biases_without_decay():
    network, optimiser = built(decay_norms=False)
    decayed = {group["weight_decay"]: names_in(network, group) for group in optimiser.param_groups}
    assert set(decayed) == {1e-3, 0.0}
    weights = trainable(network)
    assert {weights[name].ndim for name in decayed[0.0]} == {1}
    assert min(weights[name].ndim for name in decayed[1e-3]) == 2
    assert sum(map(len, decayed.values())) == len(weights)


def test_the_backbone_has_its_own_rate():
    network, optimiser = built(backbone_factor=0.1)
    scales = {group["lr_scale"]: names_in(network, group) for group in optimiser.param_groups}
    assert set(scales) == {1, 0.1}
    assert all("pyramid" not in name and "heads" not in name for name in scales[0.1])
    assert all("pyramid" in name or "heads" in name for name in scales[1])
    set_learning_rate(optimiser, 0.5)
    rates = {group["lr_scale"]: group["lr"] for group in optimiser.param_groups}
    assert rates == {1: 0.5, 0.1: pytest.approx(0.05)}


def test_weights_of_losses_are_not_decayed():
    loss = nn.Linear(3, 2)
    network, optimiser = built(loss)
    decays = {
        id(weight): group["weight_decay"]
        for group in optimiser.param_groups
        for weight in group["params"]
    }
    assert [decays[id(weight)] for weight in loss.parameters()] == [0, 0]
    assert {decays[id(weight)] for weight in trainable(network).values()} == {1e-3}


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("optimiser.momentum=0.5", "optimiser 'adam' has no such setting; it has: name"),
        ("schedule.patience=3", "schedule 'step' has no such setting; .*decay_every"),
    ],
)
def test_settings_without_effect_are_refused(assignment, message):
    with pytest.raises(ConfigError, match=message):
        load_recipe("paper-c", [assignment])


def test_settings_without_effect_are_refused_on_a_recipe_too(tmp_path):
    with pytest.raises(ConfigError, match="optimiser 'adam' has no such setting"):
        train(
            tiny(),
            "market1501=nowhere",
            tmp_path / "run",
            settings={"optimiser.momentum": 0.5},
        )


def test_settings_with_effect_are_taken():
    recipe = load_recipe(
        "paper-c",
        [
            "optimiser.name=sgd",
            "optimiser.momentum=0.5",
            "schedule.name=plateau",
            "schedule.patience=3",
        ],
    )
    assert (recipe.optimiser.momentum, recipe.schedule.patience) == (0.5, 3)


def gradients(tmp_path, name, *assignments):
    """Returns the gradient of every update, at weights that never change."""
    seen = []
    run = tmp_path / name
    data = tmp_path / f"{name}-people"
    train(
        tiny("epochs=1", *assignments),
        people(data),
        run,
        device="cpu",
        optimiser=lambda groups: Recorder(groups, seen),
        schedule=lambda _epoch: 0.0,
        evaluate=False,
    )
    return seen


def norm(gradient):
    return torch.stack([each.norm() for each in gradient]).norm().item()


def test_accumulation_is_the_mean_gradient_of_its_batches(tmp_path):
    # In training mode batch norm looks at its batch only, so that a batch has the same gradient.
    single = gradients(tmp_path, "single")
    for size in (2, 3):
        several = gradients(tmp_path, f"by-{size}", f"optimiser.accumulate={size}")
        groups = [single[at : at + size] for at in range(0, len(single), size)]
        assert len(several) == len(groups)
        for found, group in zip(several, groups, strict=True):
            expected = [sum(parts) / len(group) for parts in zip(*group, strict=True)]
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    assert len(single) == 3  # so that by twos the last group is one batch


def test_clipping_bounds_the_norm(tmp_path):
    free = gradients(tmp_path, "free")
    limit = norm(free[0]) / 3
    clipped = gradients(tmp_path, "clipped", f"optimiser.clip_norm={limit}")
    assert norm(clipped[0]) == pytest.approx(limit, rel=1e-3)
    assert all(norm(each) <= limit * 1.001 for each in clipped)
    torch.testing.assert_close(clipped[0], [each / 3 for each in free[0]], rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(
    ("setting", "own"),
    [
        ("optimiser.name=sgd", None),
        ("optimiser.backbone_factor=0.1", None),
        ("optimiser.name=adam", torch.optim.RMSprop),
        ("optimiser.name=adam", torch.optim.NAdam),
    ],
)
def test_every_optimiser_resumes_exactly(tmp_path, setting, own):
    recipe, data, cut = tiny(setting), people(tmp_path / "people"), tmp_path / "cut"
    train(recipe, data, tmp_path / "whole", device="cpu", optimiser=own, evaluate=False)
    with pytest.raises(Interrupted):
        train(
            recipe,
            data,
            cut,
            device="cpu",
            optimiser=own,
            evaluate=False,
            callbacks=[StopAt(1, 0)],
        )
    resume_run(cut, device="cpu", optimiser=own, evaluate=False)
    assert same(weights_in(tmp_path / "whole"), weights_in(cut))


def test_ones_own_optimiser_is_used_and_noted(tmp_path):
    made = []

    def mine(groups):
        made.append(torch.optim.RMSprop(groups))
        return made[0]

    run = tmp_path / "run"
    train(
        tiny("optimiser.backbone_factor=0.1"),
        people(tmp_path / "p"),
        run,
        device="cpu",
        optimiser=mine,
        evaluate=False,
    )
    assert sorted(group["lr_scale"] for group in made[0].param_groups) == [0.1, 1]
    assert RunFolder(run).own() == ("optimiser",)
    moments = [name for name in read_tensors(RunFolder(run).state)[0] if "square_avg" in name]
    assert moments
