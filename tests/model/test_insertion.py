import pytest
import torch
import torchvision
from comparing import relative, scramble
from torch import nn

from apnet.errors import ConfigError
from apnet.model import insert_pyramids, remove_pyramids
from apnet.model.shapes import shapes_on_zeros

LAYERS = ["layer1", "layer2", "layer3.1", "layer4"]


@pytest.fixture(scope="module")
def resnet():
    return scramble(torchvision.models.resnet18(weights=None, num_classes=10))


def test_insertion_and_removal_leave_the_network_as_it_was(resnet):
    images = torch.randn(2, 3, 64, 32)
    resnet.eval()
    before = resnet(images)
    modules = list(resnet.named_modules())
    state = {name: tensor.clone() for name, tensor in resnet.state_dict().items()}
    pyramids = insert_pyramids(resnet, LAYERS, (64, 32))
    assert len(pyramids) == 4
    assert relative(resnet(images), before) > 1e-3
    assert remove_pyramids(resnet) == tuple(LAYERS)
    assert [(name, id(module)) for name, module in modules] == [
        (name, id(module)) for name, module in resnet.named_modules()
    ]
    assert list(state) == list(resnet.state_dict())
    assert all(torch.equal(state[name], value) for name, value in resnet.state_dict().items())
    assert torch.equal(resnet(images), before)
    assert remove_pyramids(resnet) == ()


@pytest.mark.parametrize("attention", ["channel", "spatial"])
def test_the_next_module_gets_what_the_pyramid_gives(attention, resnet):
    resnet.eval()
    images = torch.randn(2, 3, 64, 32)
    (pyramid,) = insert_pyramids(resnet, ["layer2"], (64, 32), attention=attention)
    scramble(pyramid).eval()
    got = resnet(images)
    remove_pyramids(resnet)
    x = resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(images))))
    x = resnet.layer4(resnet.layer3(pyramid(resnet.layer2(resnet.layer1(x)))))
    assert relative(got, resnet.fc(x.mean(dim=(2, 3)))) < 1e-5


def test_nested_places_and_channels_last_maps():
    class Rows(nn.Module):
        def forward(self, x):
            return x.permute(0, 2, 3, 1)

    network = nn.Sequential(nn.Sequential(nn.Conv2d(3, 16, 3), Rows()), Rows())
    (pyramid,) = insert_pyramids(network, ["0"], (10, 6), layout="NHWC")
    images = torch.randn(1, 3, 10, 6)
    expected = pyramid(network[0].body[0](images)).permute(0, 2, 3, 1).permute(0, 2, 3, 1)
    assert relative(network(images), expected) < 1e-6
    remove_pyramids(network)
    before = list(network.named_modules())
    inner_and_outer = nn.Sequential(network)
    insert_pyramids(inner_and_outer, ["0.0", "0.0.0"], (10, 8), layout="NCHW", parts=(1,))
    outer = inner_and_outer.get_submodule("0.0")
    assert (outer.name, outer.body[0].name) == ("0.0", "0.0.0")
    assert remove_pyramids(inner_and_outer) == ("0.0", "0.0.0")
    assert [name for name, _ in before] == [name for name, _ in network.named_modules()]


def test_looking_at_a_network_leaves_no_trace():
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Dropout(0.5), _Counting(), nn.ReLU()
    )
    network[1].eval()
    modes = [module.training for module in network.modules()]
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    random = torch.get_rng_state()
    shapes = shapes_on_zeros(network, (12, 8))
    assert shapes["1"] == (1, 8, 10, 6)
    assert shapes["3"] == shapes[""] == (1, 8, 10, 6)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert not any(module._forward_hooks for module in network.modules())


class _Counting(nn.Module):
    """Changes a buffer and draws a random number at every call, even in evaluation mode."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return x + torch.rand(())


def test_pyramids_take_the_networks_mode_type_and_device(resnet):
    network = resnet.train()
    network.layer1[0].bn1.eval()  # as one freezes a batch norm
    network.layer2.eval()
    modes = [module.training for module in network.modules()]
    pyramids = insert_pyramids(network, ["layer1", "layer2"], (64, 32))
    assert [pyramid.training for pyramid in pyramids] == [True, False]
    remove_pyramids(network)
    assert [module.training for module in network.modules()] == modes
    double = nn.Sequential(nn.Conv2d(3, 8, 1)).double().train()
    (pyramid,) = insert_pyramids(double, ["0"], (8, 8))
    assert {weight.dtype for weight in pyramid.parameters()} == {torch.float64}
    assert pyramid.training


@pytest.mark.parametrize(
    ("after", "options", "words"),
    [
        (["layer9"], {}, "no submodule 'layer9'; did you mean layer"),
        ([], {}, "at least one submodule"),
        (["layer1", "layer1"], {}, "each once"),
        (["layer1", "fc"], {}, "four dimensions.*'fc' gave shape"),
        (["layer1", "layer2"], {"parts": (1, 3)}, "after layer1: level 2.*64 channels"),
        (["layer1", "layer4"], {"attention": "spatial", "parts": (4,)}, "after layer4.*2 rows"),
        ([""], {}, "no submodule ''"),
    ],
)
def test_what_cannot_be_inserted_changes_nothing(after, options, words, resnet):
    modules = [(name, id(module)) for name, module in resnet.named_modules()]
    with pytest.raises(ConfigError, match=words):
        insert_pyramids(resnet, after, (64, 32), **options)
    assert modules == [(name, id(module)) for name, module in resnet.named_modules()]


def test_a_place_takes_one_pyramid(resnet):
    insert_pyramids(resnet, ["layer1"], (64, 32))
    try:
        with pytest.raises(ConfigError, match="'layer1' has a pyramid already"):
            insert_pyramids(resnet, ["layer1"], (64, 32))
    finally:
        remove_pyramids(resnet)


def test_submodules_that_do_not_run_and_networks_that_do_not_run_are_refused():
    class Lazy(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Conv2d(3, 8, 1), nn.Conv2d(3, 8, 1)

        def forward(self, x):
            return self.used(x)

    with pytest.raises(ConfigError, match="'unused' gave no tensor"):
        insert_pyramids(Lazy(), ["unused"], (8, 8))
    with pytest.raises(ConfigError, match="does not run on an image of 8x8"):
        insert_pyramids(nn.Sequential(nn.Conv2d(4, 8, 1)), ["0"], (8, 8))
