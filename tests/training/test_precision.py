"""``auto`` is bf16 only where a network's features agree with float32."""

import dataclasses
import json

import pytest
import torch
from tiny import network_of, people, tiny
from torch import nn

import apnet
from apnet.embedding import checked_precision, precision
from apnet.errors import ConfigError
from apnet.evaluation import Protocol, evaluate_network
from apnet.training import RunFolder, arithmetic, resume_run, train

CONFIG = dataclasses.replace(tiny().network, num_classes=4)
SIZE = CONFIG.image_size
WRONG = {
    "nan": lambda result: result * float("nan"),
    "other numbers": lambda result: result.flip(1) - 2 * result,
    "one image": lambda result: torch.cat((result[:-1], -result[-1:])),
}


def break_bf16(network, wrong):
    """Lets the first convolution compute wrongly under bf16 autocast."""

    def spoil(module, inputs, result):
        return wrong(result) if torch.is_autocast_enabled("cpu") else None

    conv = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    conv.register_forward_hook(spoil)
    return network


@pytest.fixture
def native(monkeypatch):
    """A processor that gains from bf16, whatever this one does."""

    def choose(wanted, device):
        return "bf16" if wanted == "auto" else wanted

    for module in (precision, arithmetic):
        monkeypatch.setattr(module, "choose_precision", choose)


@pytest.fixture
def records(tmp_path):
    return people(tmp_path / "people").train


@pytest.mark.parametrize("wrong", WRONG)
def test_a_network_that_is_wrong_in_bf16_computes_in_float32_and_says_so(native, records, wrong):
    network, told = break_bf16(network_of(tiny()), WRONG[wrong]).train(), []
    for _ in range(2):
        found = checked_precision("auto", network, records, SIZE, notify=told.append)
        assert found == "float32"
    (line,) = told
    assert "bf16 gives wrong features at 32x16" in line
    assert all(module.training for module in network.modules())


def test_a_network_that_agrees_stays_in_bf16(native, records):
    found = checked_precision("auto", network_of(tiny()), records, SIZE, notify=pytest.fail)
    assert found == "bf16"


def test_it_is_compared_once_per_network_and_image_size(native, records, monkeypatch):
    sizes = []
    monkeypatch.setattr(precision, "_disagreement", lambda network, _, size: sizes.append(size))
    network, other = network_of(tiny()), network_of(tiny())
    for each in (network, network, other):
        checked_precision("auto", each, records, SIZE)
    checked_precision("auto", network, records, (48, 16))
    assert sizes == [SIZE, SIZE, (48, 16)]


def test_names_are_not_compared(native, records):
    network = break_bf16(network_of(tiny()), WRONG["nan"])
    assert checked_precision("bf16", network, records, SIZE) == "bf16"
    assert checked_precision("float32", network, records, SIZE) == "float32"
    with pytest.raises(ConfigError, match="'half': choose auto, float32, bf16"):
        checked_precision("half", network, records, SIZE)
    assert checked_precision("auto", network, [], SIZE) == "bf16"


def test_an_evaluation_by_auto_names_what_it_used(native, tmp_path):
    data = people(tmp_path / "people")
    protocol = Protocol(precision="auto")
    found, *_ = evaluate_network(network_of(tiny()), CONFIG, data, protocol=protocol)
    assert found.card.precision == "bf16"
    broken = break_bf16(network_of(tiny()), WRONG["nan"])
    with pytest.warns(UserWarning, match="computing in float32"):
        found, *_ = evaluate_network(broken, CONFIG, data, protocol=protocol)
    assert found.card.precision == "float32"
    with pytest.warns(UserWarning, match="computing in float32"):
        found = apnet.evaluate(
            break_bf16(network_of(tiny()), WRONG["nan"]), data, precision="auto", image_size=SIZE
        )
    assert found.card.precision == "float32"


def _noted(root):
    return json.loads((root / "run.json").read_text())["precision"]


def test_training_by_auto_falls_back_and_the_run_notes_it(native, tmp_path):
    data, told = people(tmp_path / "people"), []
    broken = break_bf16(network_of(tiny()), WRONG["nan"])
    out = tmp_path / "run"
    given = {"network": broken, "device": "cpu", "evaluate": False, "notify": told.append}
    train(tiny("precision=auto"), data, out, **given)
    assert [line for line in told if "computing in float32" in line]
    assert _noted(out) == "float32"


def test_a_run_keeps_its_arithmetic_on_another_machine(native, tmp_path, monkeypatch):
    data, out = people(tmp_path / "people"), tmp_path / "run"
    train(tiny("precision=auto"), data, out, device="cpu", evaluate=False)
    assert _noted(out) == "bf16"
    for module in (precision, arithmetic):
        monkeypatch.setattr(module, "choose_precision", lambda wanted, _: "float32")
    told = []
    resume = {"device": "cpu", "evaluate": False, "notify": told.append}
    resume_run(out, settings={"epochs": 3}, **resume)
    assert _noted(out) == "bf16"
    assert [line for line in told if "gains nothing" in line]
    resume_run(out, settings={"precision": "float32"}, **resume)
    assert _noted(out) == "float32"
    resume_run(out, settings={"precision": "auto"}, **resume)
    assert (_noted(out), RunFolder(out).recipe().precision) == ("float32", "auto")
