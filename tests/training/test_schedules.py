"""Learning rates of every epoch, by name and of one's own."""

import math

import pytest
from tiny import people, tiny

from apnet.config import ScheduleConfig
from apnet.errors import ConfigError
from apnet.training import Moment, RunFolder, learning_rate, train

COLD = {"warmup_epochs": 0}


def rates(config, epochs, losses=()):
    return [learning_rate(Moment(epoch, epochs, losses), 1.0, config) for epoch in range(epochs)]


def test_step_is_the_papers():
    config = ScheduleConfig(**COLD)
    expected = [1.0] * 40 + [0.1] * 40 + [0.01] * 40 + [0.001] * 40
    assert rates(config, 160) == pytest.approx(expected)


def test_cosine_falls_from_the_rate_to_the_minimum():
    config = ScheduleConfig("cosine", minimum=0.2, **COLD)
    found = rates(config, 21)
    assert found[0] == 1
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == 21
    assert learning_rate(Moment(21, 21), 1.0, config) == pytest.approx(0.2)
    expected = [0.2 + 0.4 * (1 + math.cos(math.pi * epoch / 21)) for epoch in range(21)]
    assert found == pytest.approx(expected)


def test_cosine_begins_to_fall_after_the_warm_up():
    config = ScheduleConfig("cosine", warmup_epochs=5, warmup_factor=0.1)
    found = rates(config, 25)
    assert found[:6] == pytest.approx([0.1, 0.28, 0.46, 0.64, 0.82, 1.0])
    assert found[5:] == sorted(found[5:], reverse=True)
    assert found[15] == pytest.approx(0.5)
    assert found[-1] > 0


def test_cosine_of_a_run_as_short_as_its_warm_up():
    found = rates(ScheduleConfig("cosine", warmup_epochs=10), 3)
    assert all(0 < rate <= 1 for rate in found)


def test_plateau_waits_for_a_lower_loss():
    config = ScheduleConfig("plateau", patience=2, decay_factor=0.5, minimum=0.2, **COLD)
    losses = [3.0, 2.0, 2.0, 2.5, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9]
    found = rates(config, 12, losses)
    # Epochs 3 and 4 are not lower than epoch 2; epoch 5 is; then nothing is.
    assert found == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2]


def test_plateau_looks_at_finished_epochs_only():
    config = ScheduleConfig("plateau", patience=1, **COLD)
    assert learning_rate(Moment(1, 9, [1.0, 2.0, 3.0]), 1.0, config) == 1
    assert learning_rate(Moment(2, 9, [1.0, 2.0, 3.0]), 1.0, config) == pytest.approx(0.1)


def test_plateau_in_training_follows_the_history(tmp_path):
    recipe = tiny(
        'schedule={name = "plateau", patience = 1, decay_factor = 0.5, warmup_epochs = 0}',
        "optimiser.learning_rate=0.5",
        "epochs=5",
    )
    train(recipe, people(tmp_path / "p"), tmp_path / "run", device="cpu", evaluate=False)
    history = RunFolder(tmp_path / "run").read_history()
    losses = [entry["loss"] for entry in history]
    expected = [
        learning_rate(Moment(epoch, 5, losses[:epoch]), 0.5, recipe.schedule) for epoch in range(5)
    ]
    assert [entry["rate"] for entry in history] == expected
    assert len(set(expected)) > 1


def test_constant_with_warm_up():
    assert rates(ScheduleConfig("constant", **COLD), 5) == [1] * 5
    config = ScheduleConfig("constant", warmup_epochs=4, warmup_factor=0.2)
    assert rates(config, 6) == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1])


def test_a_name_that_does_not_exist():
    with pytest.raises(ConfigError, match="no schedule is called 'cosin'; did you mean 'cosine'"):
        learning_rate(Moment(0, 1), 1.0, ScheduleConfig("cosin"))


def test_ones_own_schedule_is_taken_without_warm_up(tmp_path):
    train(
        tiny(),
        people(tmp_path / "p"),
        tmp_path / "run",
        device="cpu",
        schedule=lambda epoch: 1 / (epoch + 1),
        evaluate=False,
    )
    found = [entry["rate"] for entry in RunFolder(tmp_path / "run").read_history()]
    assert found == pytest.approx([1e-3, 5e-4, 1e-3 / 3])
