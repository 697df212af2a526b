"""Modules frozen for some epochs, and the moving average of the weights."""

import copy

import pytest
import torch
from tiny import StopAt, network_of, people, same, tiny, weights_in

from apnet.errors import ConfigError, Interrupted
from apnet.training import NoCallback, resume_run, train
from apnet.training import loop as training_loop


class Snapshots(NoCallback):
    """Copies a network's state after every step or epoch."""

    def __init__(self, network) -> None:
        self._network = network
        self.steps = []
        self.epochs = [self.now()]

    def now(self):
        return copy.deepcopy(dict(self._network.state_dict()))

    def step(self, epoch, step, steps, loss, rate):
        self.steps.append(self.now())

    def epoch(self, entry):
        self.epochs.append(self.now())


def trained(tmp_path, *assignments):
    """Trains the tiny network; returns its states before and after every epoch."""
    recipe = tiny(*assignments)
    network = network_of(recipe)
    snapshots = Snapshots(network)
    train(
        recipe,
        people(tmp_path / "people"),
        tmp_path / "run",
        device="cpu",
        network=network,
        callbacks=[snapshots],
        evaluate=False,
    )
    return snapshots


def moved(before, after):
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_frozen_modules_stay_for_their_epochs_and_move_afterwards(tmp_path):
    epochs = trained(
        tmp_path, 'optimiser.freeze=["stem", "layer1"]', "optimiser.freeze_epochs=2"
    ).epochs
    frozen = {name for name in epochs[0] if "stem" in name or "layer1" in name}
    assert any("running_mean" in name for name in frozen)
    assert any("layer1.pyramid" in name for name in frozen)
    assert not moved(epochs[0], epochs[2]) & frozen
    assert moved(epochs[2], epochs[3]) >= frozen
    # All others move from the beginning: only the BN neck's shift never does.
    assert set(epochs[0]) - frozen - moved(epochs[0], epochs[1]) == {"branches.0.heads.0.neck.bias"}


def test_zero_epochs_means_all_of_them(tmp_path):
    epochs = trained(tmp_path, 'optimiser.freeze=["layer1"]').epochs
    assert not any("layer1" in name for name in moved(epochs[0], epochs[3]))


def test_a_frozen_backbone_leaves_pyramids_and_heads(tmp_path):
    epochs = trained(tmp_path, 'optimiser.freeze=["backbone"]', "epochs=2").epochs
    changed = moved(epochs[0], epochs[2])
    assert changed
    assert all("pyramid" in name or "heads" in name for name in changed)
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        assert any(f"{stage}.pyramid" in name for name in changed)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ('["layr1"]', "the network has no module 'layr1'; did you mean layer1"),
        ('["zzz"]', "no module 'zzz'; 'backbone', or a module's name"),
        ('["trunk", "branches"]', r"leaves nothing to train"),
    ],
)
def test_what_cannot_be_frozen(tmp_path, names, message):
    with pytest.raises(ConfigError, match=message):
        train(
            tiny(f"optimiser.freeze={names}"),
            people(tmp_path / "people"),
            tmp_path / "run",
            device="cpu",
        )
    assert not (tmp_path / "run").exists()


def test_frozen_runs_resume_exactly(tmp_path):
    recipe = tiny('optimiser.freeze=["layer1"]', "optimiser.freeze_epochs=2")
    data = people(tmp_path / "people")
    train(recipe, data, tmp_path / "whole", device="cpu", evaluate=False)
    for place in ((1, 0), (2, 1)):
        cut = tmp_path / f"cut-{place[0]}"
        with pytest.raises(Interrupted):
            train(recipe, data, cut, device="cpu", evaluate=False, callbacks=[StopAt(*place)])
        resume_run(cut, device="cpu", evaluate=False)
        assert same(weights_in(tmp_path / "whole"), weights_in(cut))


def test_the_average_is_the_recursion(tmp_path):
    snapshots = trained(tmp_path, "optimiser.ema=0.9")
    average = snapshots.epochs[0]
    for weights in snapshots.steps:
        for name, value in weights.items():
            if value.is_floating_point():
                average[name] = 0.9 * average[name] + (1 - 0.9) * value
            else:
                average[name] = value
    saved = weights_in(tmp_path / "run")
    torch.testing.assert_close(saved, average, rtol=1e-4, atol=1e-6)
    name = "branches.0.heads.0.classifier.weight"
    assert not torch.allclose(saved[name], snapshots.epochs[-1][name], rtol=1e-3, atol=1e-5)


def test_the_average_is_what_is_evaluated(tmp_path, monkeypatch):
    evaluated = []
    real = training_loop.evaluate_network

    def spy(network, *arguments, **options):
        evaluated.append(copy.deepcopy(dict(network.state_dict())))
        return real(network, *arguments, **options)

    monkeypatch.setattr(training_loop, "evaluate_network", spy)
    recipe = tiny("optimiser.ema=0.9", "epochs=1")
    checkpoint = train(recipe, people(tmp_path / "people"), tmp_path / "run", device="cpu")
    saved = weights_in(tmp_path / "run")
    assert same(evaluated[-1], saved)
    assert same(dict(checkpoint.network.state_dict()), saved)


@pytest.mark.parametrize("setting", ["optimiser.ema=0.9", 'optimiser.freeze=["layer1"]'])
def test_the_result_can_be_trained_further(tmp_path, setting):
    recipe, data = tiny(setting, "epochs=1"), people(tmp_path / "people")
    network = train(recipe, data, tmp_path / "a", device="cpu", evaluate=False).network
    fixed = [name for name, weight in network.named_parameters() if not weight.requires_grad]
    assert fixed == ["branches.0.heads.0.neck.bias"]
    before = copy.deepcopy(dict(network.state_dict()))
    train(tiny("epochs=1"), data, tmp_path / "b", device="cpu", evaluate=False, network=network)
    assert len(moved(before, network.state_dict())) == len(before) - 1


def test_a_network_without_weights_to_train(tmp_path):
    network = network_of(tiny()).requires_grad_(False)
    with pytest.raises(ConfigError, match="has no weights to train"):
        train(tiny(), people(tmp_path / "people"), tmp_path / "run", device="cpu", network=network)


def test_the_average_resumes_exactly(tmp_path):
    recipe = tiny("optimiser.ema=0.9", "optimiser.accumulate=3")  # asked to stop inside a group
    data = people(tmp_path / "people")
    train(recipe, data, tmp_path / "whole", device="cpu", evaluate=False)
    with pytest.raises(Interrupted):
        train(
            recipe,
            data,
            tmp_path / "cut",
            device="cpu",
            evaluate=False,
            callbacks=[StopAt(1, 0)],
        )
    resume_run(tmp_path / "cut", device="cpu", evaluate=False)
    assert same(weights_in(tmp_path / "whole"), weights_in(tmp_path / "cut"))
