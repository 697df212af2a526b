import literal
import pytest
import torch
from comparing import assert_same, relative, scramble

from apnet.errors import ConfigError
from apnet.model import ReleasedPyramid, SplitAttention, create_network


@pytest.mark.parametrize("parts", [(1,), (1, 2), (1, 2, 4)])
@pytest.mark.parametrize("training", [True, False])
def test_released_pyramid_equals_its_steps_written_out(parts, training):
    torch.manual_seed(len(parts))
    pyramid = scramble(ReleasedPyramid(16, parts)).train(training)
    x = torch.randn(6, 16, 5, 3)
    assert_same(pyramid, lambda x: literal.released(x, pyramid), x, pyramid)


@pytest.mark.parametrize("parts", [(1,), (1, 2), (1, 2, 4)])
def test_the_released_network_equals_its_five_places_written_out(parts):
    torch.manual_seed(len(parts))
    network = create_network(
        "released-c2",
        parts=parts,
        num_classes=3,
        backbone="resnet18",
        backbone_options={"channels": [16, 16, 32, 32]},
    )
    network = scramble(network).eval()
    trunk, head = network.trunk, network.branches[0].heads[0]
    images = torch.randn(2, 3, 64, 32)
    stem = trunk.stem.body
    x = literal.norm(stem.conv1(images), stem.bn1, (0, 2, 3))  # no ReLU
    x = literal.released(stem.maxpool(x), trunk.stem.pyramid)
    for stage in (trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4):
        x = literal.released(stage.body(x), stage.pyramid)
    pooled = x.mean(dim=(2, 3))
    feature = literal.norm(pooled, head.neck, (0,))
    output = network(images)
    assert relative(output.pooled[0], pooled) < 1e-4
    assert relative(output.logits[0], feature @ head.classifier.weight.T) < 1e-4
    assert relative(network.embed(images), feature) < 1e-4


def test_the_released_radix_of_three_at_level_three_cannot_be_built_and_four_parts_can():
    with pytest.raises(ConfigError, match=r"level 3.*64 channels.*3 parts"):
        ReleasedPyramid(64, (1, 2, 3))
    maps = ReleasedPyramid(64, (1, 2, 4))(torch.randn(2, 64, 4, 2))
    assert maps.shape == (2, 64, 4, 2)


def test_levels_run_from_the_finest_to_the_global_one():
    torch.manual_seed(0)
    pyramid = scramble(ReleasedPyramid(16, (1, 2, 4))).eval()
    x = torch.randn(2, 16, 4, 2)
    maps = pyramid.levels(x)
    assert [split.parts for split in pyramid.splits] == [4, 2]
    assert len(maps) == 4
    shares = pyramid.splits[0](x.mean(dim=(2, 3)))[:, :, None, None]
    assert relative(maps[1], pyramid.norms[0](x * shares)) < 1e-5
    gates = maps[3] / maps[2]
    assert relative(gates, gates[:, :, :1, :1].expand_as(x)) < 1e-4  # whole channels are scaled
    assert gates.max() < 1


def test_split_attention_shares_one_unit_of_weight_among_the_parts():
    torch.manual_seed(0)
    split = SplitAttention(24, 4).eval()
    shares = split(torch.randn(3, 24)).reshape(3, 4, 6)
    assert torch.allclose(shares.sum(dim=1), torch.ones(3, 6))
    assert shares.std() > 0


@pytest.mark.parametrize(
    ("channels", "parts", "hidden"), [(64, 2, 32), (256, 2, 128), (2048, 2, 1024), (256, 4, 256)]
)
def test_split_attention_hidden_width(channels, parts, hidden):
    assert SplitAttention(channels, parts).weigh[0].out_features == hidden


@pytest.mark.parametrize("channels", [64, 256, 2048])
def test_global_level_has_eight_hidden_units_and_no_bias(channels):
    pyramid = ReleasedPyramid(channels, (1,))
    assert sum(p.numel() for p in pyramid.parameters()) == 2 * 8 * channels


def test_released_network_has_five_places_no_stem_relu_and_29_3_million_parameters():
    with torch.device("meta"):
        network = create_network("released-c2", num_classes=751)
        plain = create_network("apnet-c0", num_classes=751)
    assert [stage.name for stage in network.stages] == [
        "stem",
        "layer1",
        "layer2",
        "layer3",
        "layer4",
    ]
    assert not hasattr(network.trunk.stem.body, "act1")
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(29.3, abs=0.05)
    assert sum(p.numel() for p in plain.parameters()) / 1e6 == pytest.approx(25.05, abs=0.05)
    frozen = [name for name, p in network.named_parameters() if not p.requires_grad]
    assert len([name for name in frozen if ".norms.0.bias" in name]) == 5


def test_released_stem_passes_negative_values_on():
    torch.manual_seed(0)
    network = create_network(
        "released-c2", backbone="resnet18", backbone_options={"channels": [16, 16, 32, 32]}
    ).eval()
    maps = network.level_maps(torch.randn(1, 3, 64, 32))
    assert len(maps) == 5
    signs = []
    network.trunk.stem.body.register_forward_hook(lambda *a: signs.append(a[2].min().item()))
    network(torch.randn(1, 3, 64, 32))
    assert signs[0] < 0


@pytest.mark.parametrize("parts", [(2,), (1, 1), (1, 3)])
def test_levels_that_the_released_arrangement_cannot_have_are_refused(parts):
    with pytest.raises(ConfigError, match="level"):
        ReleasedPyramid(16, parts)


def test_channels_not_in_eights_are_refused():
    with pytest.raises(ConfigError, match="multiples of 8"):
        ReleasedPyramid(20, (1, 2))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attention": "spatial"}, "channel attention only"),
        ({"attention": "none"}, "channel attention only"),
        ({"backbone": "mobilenetv4_conv_small"}, "ResNets only"),
        ({"backbone": "densenet121"}, "ResNets only"),
        ({"parts": (1, 3)}, "after stem of resnet50.*level 2"),
    ],
)
def test_released_networks_that_do_not_exist_are_refused(changes, words):
    with torch.device("meta"), pytest.raises(ConfigError, match=words):
        create_network("released-c2", **changes)
