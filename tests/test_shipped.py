"""Half-precision checkpoints, the tool that makes the shipped file, and loading it."""

import dataclasses
import importlib.util
import json
import re
from pathlib import Path

import pytest
import torch

import apnet.shipped
from apnet.checkpoints import load_checkpoint, read_tensors, save_checkpoint
from apnet.config import NetworkConfig, Recipe, to_dict
from apnet.errors import CheckpointError, ConfigError
from apnet.model import build_network
from apnet.shipped import default_checkpoint

CONFIG = NetworkConfig(
    backbone="resnet10t",
    backbone_options={"channels": [8, 8, 16, 16], "stem_width": 8},
    reduction=4,
    image_size=(32, 16),
    num_classes=3,
)
IMAGES = torch.randn(4, 3, 32, 16, generator=torch.Generator().manual_seed(5))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return build_network(CONFIG).eval()


@pytest.fixture(scope="module")
def tool():
    path = Path(__file__).parents[1] / "tools" / "ship_weights.py"
    spec = importlib.util.spec_from_file_location("ship_weights", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@torch.no_grad()
def cosine(first, second):
    pairs = (first.embed(IMAGES), second.embed(IMAGES))
    return torch.nn.functional.cosine_similarity(*pairs).min().item()


def test_half_takes_half_the_space_and_loads_as_float32(network, tmp_path):
    save_checkpoint(tmp_path / "full.safetensors", network, CONFIG, {})
    save_checkpoint(tmp_path / "half.safetensors", network, CONFIG, {"epoch": 3}, half=True)
    stored, _ = read_tensors(tmp_path / "half.safetensors")
    kinds = {tensor.dtype for tensor in stored.values()}
    assert kinds == {torch.float16, torch.float32, torch.int64}  # vectors and counters stay
    assert {stored[name].dtype for name in stored if stored[name].ndim > 1} == {torch.float16}
    loaded = load_checkpoint(tmp_path / "half.safetensors")
    state = loaded.network.state_dict()
    assert {tensor.dtype for tensor in state.values()} == {torch.float32, torch.int64}
    for name, tensor in network.state_dict().items():
        rounded = tensor.half().float() if tensor.ndim > 1 else tensor
        assert torch.equal(state[name], rounded), name
    assert loaded.facts == {"epoch": 3}
    assert 0.9999 < cosine(loaded.network, network) < 1.0001
    # the fingerprint tells the rounded weights from the exact ones
    assert loaded.fingerprint != load_checkpoint(tmp_path / "full.safetensors").fingerprint


@pytest.mark.parametrize("value", [7e4, -1e6, float("inf"), float("nan")])
def test_weights_that_float16_cannot_hold_are_refused_by_name(network, tmp_path, value):
    path = tmp_path / "half.safetensors"
    name = next(name for name, weight in network.named_parameters() if weight.ndim > 1)
    network.get_parameter(name).data.view(-1)[1] = value
    with pytest.raises(CheckpointError, match=f"'{re.escape(name)}' holds"):
        save_checkpoint(path, network, CONFIG, {}, half=True)
    assert not list(tmp_path.iterdir())
    save_checkpoint(path, network, CONFIG, {})  # in full precision they may pass


def test_shipping_drops_the_classifier_and_keeps_the_embedding(network, tool, tmp_path):
    run = tmp_path / "run"
    facts = {"epoch": 7, "data": "people", "seed": 2}
    save_checkpoint(run / "last.safetensors", network, CONFIG, facts)
    recipe = Recipe(network=CONFIG, seed=2)
    (run / "run.json").write_text(json.dumps({"recipe": to_dict(recipe), "data": {}}))
    shipped = tool.ship(run, tmp_path / "small.safetensors", "people-train")
    assert shipped.config == dataclasses.replace(CONFIG, num_classes=0)
    assert not any("classifier" in name for name in shipped.network.state_dict())
    assert cosine(shipped.network, network) > 0.9999
    assert shipped.facts["name"] == "small"
    assert shipped.facts["recipe"]["seed"] == 2
    assert shipped.facts["run"] == {**facts, "data": "people-train"}
    assert shipped.facts["fingerprint"] == load_checkpoint(run).fingerprint
    assert shipped.fingerprint != shipped.facts["fingerprint"]


def test_a_checkpoint_outside_a_run_folder_has_no_recipe(network, tool, tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", network, CONFIG, {})
    assert (
        tool.ship(tmp_path / "a.safetensors", tmp_path / "b.safetensors", "people-train").facts[
            "recipe"
        ]
        is None
    )


def test_too_large_a_file_is_refused_and_what_was_there_stays(network, tool, tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "a.safetensors", network, CONFIG, {})
    out = tmp_path / "out" / "people.safetensors"
    out.parent.mkdir()
    out.write_bytes(b"before")
    monkeypatch.setattr(tool, "LIMIT", 1000)
    with pytest.raises(CheckpointError, match=r"would take 0\.\d MB.*smaller network"):
        tool.ship(tmp_path / "a.safetensors", out, "people-train")
    assert out.read_bytes() == b"before"
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_a_network_whose_feature_is_its_classifier_cannot_be_shipped(tool, tmp_path):
    config = dataclasses.replace(CONFIG, feature="logits")
    save_checkpoint(tmp_path / "a.safetensors", build_network(config), config, {})
    with pytest.raises(ConfigError, match="needs a classifier"):
        tool.ship(tmp_path / "a.safetensors", tmp_path / "b.safetensors", "people-train")


def test_the_tool_reports_size_and_agreement(network, tool, tmp_path, monkeypatch, capsys):
    save_checkpoint(tmp_path / "a.safetensors", network, CONFIG, {})
    out = tmp_path / "b.safetensors"
    given = ["ship_weights", str(tmp_path / "a.safetensors"), str(out), "--data", "people"]
    monkeypatch.setattr("sys.argv", given)
    tool.main()
    printed = capsys.readouterr().out
    assert load_checkpoint(out).fingerprint in printed
    assert float(printed.split()[-1]) > 0.999
    monkeypatch.setattr("sys.argv", [*given[:1], str(tmp_path / "none"), *given[2:]])
    with pytest.raises(SystemExit, match=r"error: .*no such checkpoint"):
        tool.main()


def test_the_default_checkpoint_is_the_packaged_file(network, tool, tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "a.safetensors", network, CONFIG, {})
    made = tool.ship(tmp_path / "a.safetensors", tmp_path / "people.safetensors", "people-train")
    monkeypatch.setattr(apnet.shipped, "SHIPPED", tmp_path / "people.safetensors")
    assert default_checkpoint().fingerprint == made.fingerprint


def test_an_installation_without_weights_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(apnet.shipped, "SHIPPED", tmp_path / "people.safetensors")
    with pytest.raises(CheckpointError, match=r"people\.safetensors: .*has no weights") as caught:
        default_checkpoint()
    assert "\n" not in str(caught.value)


def test_the_packaged_file_is_looked_for_inside_the_package():
    inside = Path(apnet.__file__).parent / "weights" / "people.safetensors"
    assert Path(str(apnet.shipped.SHIPPED)) == inside
