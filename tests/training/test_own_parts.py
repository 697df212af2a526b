"""Training with a network, losses and callbacks of one's own."""

import pytest
import torch
from tiny import StopAt, network_of, people, same, tiny, weights_in
from torch import nn

from apnet.checkpoints import load_checkpoint, read_tensors
from apnet.config import NetworkConfig
from apnet.embedding import embed_images, embed_records
from apnet.errors import CheckpointError, ConfigError, Interrupted, TrainingError
from apnet.evaluation import evaluate_checkpoint
from apnet.explanation import explain_match, grad_cams, level_maps, likeness
from apnet.losses import Term
from apnet.model import APNet, create_network, network_cost
from apnet.model.diagnosis import first_not_finite
from apnet.model.network import Branch
from apnet.training import NoCallback, RunFolder, resume_run, train

CPU = torch.device("cpu")


class Mix(nn.Module):
    """A sub-attention of one's own: logits from a 1x1 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, piece):
        return self.mix(piece)


def with_own_attention(seed=0):
    torch.manual_seed(seed)
    return create_network(
        "apnet-c2-small",
        attention=lambda channels, _size: Mix(channels),
        backbone="resnet10t",
        backbone_options={"channels": [8, 8, 16, 16], "stem_width": 8},
        image_size=(32, 16),
    )


def by_hand(seed=0):
    torch.manual_seed(seed)
    trunk = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(), Mix(8)
    )
    return APNet(trunk, [Branch(nn.Identity(), 8, 1, 0)])


NETWORKS = pytest.mark.parametrize("build", [with_own_attention, by_hand])


@pytest.fixture
def data(tmp_path):
    return people(tmp_path / "people")


@NETWORKS
def test_a_network_of_ones_own_trains_and_is_loaded_when_given(tmp_path, data, build):
    run, mine = tmp_path / "run", build()
    before = {name: value.clone() for name, value in mine.state_dict().items()}
    checkpoint = train(tiny("epochs=2"), data, run, device="cpu", network=mine)
    assert checkpoint.network is mine
    assert mine.num_classes == 4
    assert any(not torch.equal(before[name], mine.state_dict()[name]) for name in before)
    with pytest.raises(CheckpointError, match=r"load_checkpoint\(path, network=mine\)"):
        load_checkpoint(run)
    loaded = load_checkpoint(run, network=build(seed=1))
    assert loaded.network.num_classes == 4
    assert loaded.fingerprint == checkpoint.fingerprint
    assert same(dict(loaded.network.state_dict()), dict(mine.state_dict()))
    assert RunFolder(run).own() == ("network",)


@NETWORKS
def test_a_network_of_ones_own_evaluates_embeds_and_is_costed(tmp_path, data, build):
    run = tmp_path / "run"
    train(tiny("epochs=1"), data, run, device="cpu", network=build())
    loaded = load_checkpoint(run, network=build(seed=1))
    evaluation = evaluate_checkpoint(loaded, data, device=CPU)
    assert evaluation.mAP == pytest.approx(RunFolder(run).read_history()[-1]["mAP"])
    features = embed_records(loaded.network, data.query, loaded.config.image_size).features
    assert features.shape == (16, loaded.network.feature_dim)
    cost = network_cost(loaded.network, (32, 16))
    assert cost.parameters == sum(each.numel() for each in loaded.network.parameters())
    assert cost.multiply_adds > 0


@NETWORKS
def test_a_network_of_ones_own_is_explained(build):
    mine = build().eval()
    first, second = torch.randn(2, 3, 32, 16)
    match = explain_match(mine, first, second)
    with torch.no_grad():
        features = embed_images(mine, torch.stack((first, second)), flip=False)
    assert match.similarity == pytest.approx(float(features[0] @ features[1]), abs=1e-5)
    assert float(match.first.sum()) == pytest.approx(match.similarity, abs=1e-4)


def test_own_attentions_have_maps_per_level():
    mine = with_own_attention().eval()
    images = torch.randn(2, 3, 32, 16)
    maps = level_maps(mine, images)
    assert [len(stage) for stage in maps] == [3, 3, 3, 3]
    features = mine.embed(images).detach()
    for stage, cams in zip(maps, grad_cams(mine, images, likeness(features)), strict=True):
        assert [each.shape for each in stage] == [each.shape for each in cams]


def test_a_run_goes_on_only_when_its_network_is_given_again(tmp_path, data):
    recipe, cut = tiny(), tmp_path / "cut"
    network = with_own_attention()
    train(recipe, data, tmp_path / "whole", device="cpu", network=network, evaluate=False)
    with pytest.raises(Interrupted):
        train(
            recipe,
            data,
            cut,
            device="cpu",
            network=with_own_attention(),
            evaluate=False,
            callbacks=[StopAt(1, 0)],
        )
    with pytest.raises(ConfigError, match=r"does not hold: network; continue it from Python"):
        resume_run(cut, device="cpu", evaluate=False)
    with pytest.raises(CheckpointError, match="belongs to another network"):
        resume_run(cut, device="cpu", network=by_hand(), evaluate=False)
    resume_run(cut, device="cpu", network=with_own_attention(seed=5), evaluate=False)
    assert same(weights_in(tmp_path / "whole"), weights_in(cut))


def test_a_part_that_the_run_did_not_have_is_refused(tmp_path, data):
    run = tmp_path / "run"
    train(tiny("epochs=1"), data, run, device="cpu", evaluate=False)
    with pytest.raises(ConfigError, match="this run began without schedule of one's own"):
        resume_run(run, device="cpu", schedule=lambda _epoch: 1.0)
    with pytest.raises(ConfigError, match="this run began without loss mine"):
        resume_run(run, device="cpu", losses=[Term("mine", loss=lambda batch: batch.pooled.sum())])


def test_a_loss_of_ones_own_is_added_and_reported(tmp_path, data):
    seen = []

    def mine(batch):
        seen.append((batch.pooled.shape, batch.neck.shape, batch.logits.shape, batch.labels.shape))
        return batch.pooled.square().mean()

    run = tmp_path / "run"
    term = Term("mine", 0.5, loss=mine)
    train(tiny("epochs=1"), data, run, device="cpu", losses=[term], evaluate=False)
    (entry,) = RunFolder(run).read_history()
    assert entry["mine"] > 0
    expected = entry["cross-entropy"] + entry["triplet"] + 0.5 * entry["mine"]
    assert entry["loss"] == pytest.approx(expected, rel=1e-5)
    assert seen[0] == ((4, 16), (4, 16), (4, 4), (4,))
    assert RunFolder(run).own() == ("loss mine",)
    with pytest.raises(ConfigError, match="loss mine; continue it from Python"):
        resume_run(run, device="cpu")


def test_a_loss_of_ones_own_changes_the_weights(tmp_path, data):
    for weight in (0.5, 5.0):
        term = Term("mine", weight, loss=lambda batch: batch.pooled.square().mean())
        train(
            tiny("epochs=1"),
            data,
            tmp_path / f"{weight}",
            device="cpu",
            losses=[term],
            evaluate=False,
        )
    assert not same(weights_in(tmp_path / "0.5"), weights_in(tmp_path / "5.0"))


class Centre(nn.Module):
    """A loss with a weight of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = nn.Parameter(torch.zeros(16))

    def forward(self, batch):
        return (batch.pooled - self.centre).square().mean()


def test_the_weights_of_a_loss_of_ones_own_train_and_resume(tmp_path, data):
    recipe, whole, cut = tiny(), Centre(), tmp_path / "cut"
    options = {"device": "cpu", "evaluate": False}
    train(recipe, data, tmp_path / "whole", losses=[Term("mine", loss=whole)], **options)
    assert whole.centre.abs().sum() > 0
    with pytest.raises(Interrupted):
        train(
            recipe,
            data,
            cut,
            losses=[Term("mine", loss=Centre())],
            callbacks=[StopAt(1, 0)],
            **options,
        )
    resumed = Centre()
    resume_run(cut, losses=[Term("mine", loss=resumed)], **options)
    assert torch.equal(resumed.centre, whole.centre)
    assert same(weights_in(tmp_path / "whole"), weights_in(cut))
    state = read_tensors(RunFolder(cut).state)[0]
    (centre,) = (value for name, value in state.items() if name.startswith("objective."))
    assert torch.equal(centre, whole.centre)


def test_a_loss_of_ones_own_has_a_name_of_its_own(tmp_path, data):
    term = Term("triplet", loss=lambda batch: batch.pooled.mean())
    with pytest.raises(ConfigError, match="triplet"):
        train(tiny(), data, tmp_path / "run", device="cpu", losses=[term])
    assert not (tmp_path / "run").exists()


class Notes(NoCallback):
    """Notes every call."""

    def __init__(self) -> None:
        self.steps, self.entries, self.calls = [], [], []

    def step(self, epoch, step, steps, loss, rate):
        self.calls.append("step")
        self.steps.append((epoch, step, steps, loss, rate))

    def epoch(self, entry):
        self.calls.append("epoch")
        self.entries.append(dict(entry))

    def evaluation(self, name, evaluation):
        self.calls.append(f"evaluation {name}")


def test_callbacks_are_called_in_order(tmp_path, data):
    first, second = Notes(), Notes()
    train(
        tiny("epochs=2", "evaluate_every=1"),
        data,
        tmp_path / "run",
        device="cpu",
        callbacks=[first, second],
    )
    counts = [steps for _, step, steps, _, _ in first.steps if step == 0]
    assert first.calls == [
        call for steps in counts for call in (*["step"] * steps, "evaluation market1501", "epoch")
    ]
    assert second.calls == first.calls
    assert second.steps == first.steps
    assert [each[:3] for each in first.steps] == [
        (epoch, step, steps) for epoch, steps in enumerate(counts) for step in range(steps)
    ]
    assert first.entries == RunFolder(tmp_path / "run").read_history()
    mean = sum(each[3] for each in first.steps[: counts[0]]) / counts[0]
    assert first.entries[0]["loss"] == pytest.approx(mean)
    assert first.steps[-1][4] == first.entries[-1]["rate"]


class Poison(NoCallback):
    """Makes one weight NaN after the first step."""

    def __init__(self, weight) -> None:
        self._weight = weight

    def step(self, epoch, step, steps, loss, rate):
        with torch.no_grad():
            self._weight.fill_(float("nan"))


@pytest.mark.parametrize(
    ("build", "weight", "place"),
    [
        (
            with_own_attention,
            "trunk.layer2.pyramid.attends.1.attends.1.mix.weight",
            r"after layer2, level 2, part 2 of 2 \(trunk\.layer2\.pyramid\..*\.mix\)",
        ),
        (
            lambda: network_of(tiny()),
            "trunk.layer3.pyramid.attends.0",
            r"after layer3, level 1, part 1 of 1 \(trunk\.layer3\.pyramid\)",
        ),
        (lambda: network_of(tiny()), "trunk.layer1.body", r"trunk\.layer1\.body\.0\.conv1 "),
        (by_hand, "trunk.3.mix", r"trunk\.3\.mix "),
    ],
)
def test_the_module_that_is_not_finite_is_named(tmp_path, data, build, weight, place):
    network = build()
    poisoned = next(value for name, value in network.named_parameters() if name.startswith(weight))
    message = rf"the loss became nan at epoch 1, step 2, first in {place}"
    with pytest.raises(TrainingError, match=message):
        train(
            tiny(),
            data,
            tmp_path / "run",
            device="cpu",
            network=network,
            callbacks=[Poison(poisoned)],
        )
    listing = (tmp_path / "run" / "failed-batch-0.txt").read_text().splitlines()
    assert len(listing) == 4


@pytest.mark.parametrize(
    ("changes", "weight", "place"),
    [
        ((), "layer2.pyramid.attends.1.excite", "after layer2, level 2, part 2 of 2 ("),
        (("network.arrangement=released",), "stem.pyramid.overall.excite", "after stem, level 2 ("),
        (("network.attention=cbam",), "layer4.pyramid.attends.1.attends.1", "level 2, part 2 of 2"),
        ((), "layer1.body.0.bn1", "trunk.layer1.body.0.bn1"),
    ],
)
def test_levels_that_are_computed_together_are_told_apart(changes, weight, place):
    network = network_of(tiny(*changes))
    images = torch.randn(2, 3, 32, 16)
    assert first_not_finite(network, images) is None
    name = next(name for name, _ in network.named_parameters() if weight in name)
    with torch.no_grad():
        network.get_parameter(name)[-1] = float("nan")
    assert place in first_not_finite(network, images)


def test_the_config_of_a_checkpoint_says_that_the_network_is_ones_own(tmp_path, data):
    run = tmp_path / "run"
    train(tiny("epochs=1"), data, run, device="cpu", network=by_hand(), evaluate=False)
    config = read_tensors(RunFolder(run).last)[1]["network"]
    assert config["arrangement"] == "custom"
    assert tuple(config["image_size"]) == (32, 16)
    assert NetworkConfig(**config).num_classes == 4
