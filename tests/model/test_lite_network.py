import pytest
import timm
import torch
from comparing import scramble
from torch import nn

from apnet.model import create_backbone
from apnet.model.backbones.lite_network import LITE_SCALES, EfficientNetLite


def both(name, seed=3):
    """Our network and timm's, begun with the same seed, and the states of the generator after."""
    torch.manual_seed(seed)
    ours = EfficientNetLite(*LITE_SCALES[name])
    after = torch.get_rng_state()
    torch.manual_seed(seed)
    theirs = timm.create_model(name, num_classes=0)
    return ours, theirs, torch.equal(after, torch.get_rng_state())


@pytest.mark.parametrize("name", LITE_SCALES)
def test_structure_is_timms(name):
    with torch.device("meta"):
        ours, theirs = EfficientNetLite(*LITE_SCALES[name]), timm.create_model(name, num_classes=0)
    shapes = [[(key, each.shape) for key, each in x.state_dict().items()] for x in (ours, theirs)]
    assert shapes[0] == shapes[1]
    facts = [(fact["module"], fact["reduction"]) for fact in theirs.feature_info]
    assert [(fact["module"], fact["reduction"]) for fact in ours.feature_info] == facts
    assert ours.pretrained_cfg["classifier"] == theirs.pretrained_cfg["classifier"]


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "tf_efficientnet_lite2"])
def test_initial_weights_are_timms_bit_for_bit(name):
    ours, theirs, same_draws = both(name)
    pairs = zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
    assert all(torch.equal(mine, other) for mine, other in pairs)
    assert same_draws, "what is built after the backbone draws the same numbers"


@pytest.mark.parametrize("size", [(64, 32), (65, 35)])
@pytest.mark.parametrize("training", [False, True])
def test_results_and_gradients_are_timms_bit_for_bit(size, training):
    ours, theirs, _ = both("tf_efficientnet_lite0")
    scramble(theirs)
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, *size)
    maps = [each.train(training).forward_features(images) for each in (ours, theirs)]
    assert maps[0].std() > 0
    assert torch.equal(*maps)
    for each in maps:
        each.square().sum().backward()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine.grad, other.grad)
    buffers = zip(ours.buffers(), theirs.buffers(), strict=True)
    assert all(torch.equal(mine, other) for mine, other in buffers)


def test_options_are_timms():
    with torch.device("meta"):
        backbone = create_backbone("tf_efficientnet_lite0", {"act_layer": "relu"})
    assert isinstance(backbone.body.get_submodule("model.bn1.act"), nn.ReLU)


def test_imagenet_weights_come_from_timm_and_draw_nothing(monkeypatch):
    trained = scramble(timm.create_model("tf_efficientnet_lite0", num_classes=0))

    def create(name, pretrained, num_classes):
        assert (name, pretrained, num_classes) == ("tf_efficientnet_lite0", True, 0)
        torch.randn(7)
        return trained

    monkeypatch.setattr("timm.create_model", create)
    torch.manual_seed(1)
    mine = create_backbone("tf_efficientnet_lite0", weights="imagenet").body.model
    after = torch.get_rng_state()
    torch.manual_seed(1)
    create_backbone("tf_efficientnet_lite0")
    assert torch.equal(after, torch.get_rng_state())
    state = trained.state_dict()
    assert isinstance(mine, EfficientNetLite)
    assert torch.equal(mine.conv_head.weight, state["conv_head.weight"])
    assert torch.equal(mine.bn2.running_var, state["bn2.running_var"])
