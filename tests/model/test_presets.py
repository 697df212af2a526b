import pytest
import torch

from apnet.config import NetworkConfig
from apnet.errors import ConfigError
from apnet.model import PRESETS, AttentionPyramid, build_network, create_network, preset

PARTS = {
    **{f"apnet-{kind}{n}": (1, 2, 4)[:n] for kind in "cs" for n in range(4)},
    "stacked-c": (1, 1, 1),
    "stacked-s": (1, 1, 1),
    "rga-s": (1,),
    "se-resnet50": (),
    "apnet-c2-multipart": (1, 2),
    "apnet-c2-lite": (1, 2),
    "apnet-c0-small": (),
    **{f"apnet-{kind}{n}-small": (1, 2, 4)[:n] for kind in "cs" for n in (1, 2, 3)},
    "stacked-c-small": (1, 1, 1),
    "stacked-s-small": (1, 1, 1),
    "se-small": (),
}
APNETS = [name for name in PRESETS if not name.startswith(("pyramid-reid", "scsn"))]


def width_of(name):
    """C of the last map."""
    return 256 if name.endswith("-small") else 1280 if name.endswith("-lite") else 2048


@pytest.mark.parametrize("name", APNETS)
def test_every_preset_builds_and_gives_the_shapes_it_promises(name):
    config = PRESETS[name]
    with torch.device("meta"):
        network = create_network(name, num_classes=7)
        images = torch.empty(2, 3, *config.image_size)
    output = network(images)
    width = width_of(name)
    branches = 3 if config.multipart else 1
    assert [each.shape for each in output.pooled] == [(2, width)] * branches
    assert [each.shape for each in output.logits] == [(2, 7)] * branches
    assert network.embed(images).shape == (2, width * branches)
    assert network.feature_dim == width * branches
    height, breadth = config.image_size
    sizes = [tuple(stage[-1].shape[1:]) for stage in network.level_maps(images)]
    strides = (4, 8, 16, 32 if name.endswith("-lite") else 16)  # Lite0 keeps its last stride
    assert sizes[-4:] == [(height // s, breadth // s) for s in strides]


@pytest.mark.parametrize("name", PARTS)
def test_pyramids_have_the_papers_parts(name):
    with torch.device("meta"):
        network = create_network(name)
    pyramids = [stage.pyramid for stage in network.stages]
    assert len(pyramids) == 4
    if not PARTS[name]:
        assert pyramids == [None] * 4
        return
    spatial = name.startswith(("apnet-s", "stacked-s", "rga-s"))
    for pyramid in pyramids:
        assert isinstance(pyramid, AttentionPyramid)
        assert pyramid.parts == PARTS[name]
        assert pyramid.attention == ("spatial" if spatial else "channel")


def test_image_sizes_are_the_papers():
    sizes = {name: config.image_size for name, config in PRESETS.items()}
    assert sizes["apnet-c2"] == (384, 192)
    assert {sizes[f"apnet-s{n}"] for n in range(4)} == {(256, 128)}


@pytest.mark.parametrize("radix", [1, 2, 4, 8, 16, 32])
def test_the_radix_sweep_of_fig_5_can_be_built(radix):
    with torch.device("meta"):
        network = create_network("apnet-c2", parts=(1, radix))
        images = torch.empty(2, 3, 64, 32)
    assert network(images).pooled[0].shape == (2, 2048)


@pytest.mark.parametrize("backbone", ["resnet101", "densenet169", "inception_v3"])
def test_the_backbones_of_table_v_can_be_built(backbone):
    with torch.device("meta"):
        network = create_network("apnet-c2", backbone=backbone).eval()
        images = torch.empty(1, 3, 384, 192)
    assert network.embed(images).shape == (1, 1664 if backbone == "densenet169" else 2048)
    assert len(network.level_maps(images)) == 4


def test_one_seed_gives_one_network():
    states = []
    for _ in range(2):
        torch.manual_seed(11)
        states.append(create_network("apnet-c2-small").state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_config_without_attention_has_no_pyramids_whatever_its_parts():
    with torch.device("meta"):
        network = build_network(NetworkConfig(attention="none"))
    assert [stage.pyramid for stage in network.stages] == [None] * 4


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("apnet-c4", {}, "no preset is called 'apnet-c4'; did you mean"),
        ("???", {}, "there are: apnet-c0"),
        ("apnet-c2", {"part": (1, 2)}, "unknown setting 'part'; did you mean 'parts'"),
        ("apnet-c2", {"parts": (1, 3)}, "after layer1 of resnet50: level 2.*256 channels.*3 parts"),
        ("apnet-s3", {"image_size": (224, 112)}, "after layer3 of resnet50: level 3.*14 rows"),
        ("apnet-c2", {"parts": ()}, "at least one level"),
        ("apnet-c2", {"reduction": 0}, "reduction"),
    ],
)
def test_impossible_networks_are_refused_with_the_reason(name, changes, words):
    with torch.device("meta"), pytest.raises(ConfigError, match=words):
        create_network(name, **changes)


def test_preset_returns_the_config():
    assert preset("apnet-c3").parts == (1, 2, 4)


@pytest.mark.parametrize("radix", [1, 2, 4, 8, 16, 32])
def test_the_radix_sweep_runs_on_the_small_network(radix):
    network = create_network("apnet-c2-small", parts=(1, radix), num_classes=3)
    output = network(torch.randn(2, 3, 64, 32))
    (output.pooled[0].sum() + output.logits[0].square().sum()).backward()
    assert [stage.pyramid.parts for stage in network.stages] == [(1, radix)] * 4
    for stage in network.stages:
        assert all(weight.grad.isfinite().all() for weight in stage.pyramid.parameters())


@pytest.mark.parametrize("attention", ["none", "channel"])
@pytest.mark.parametrize("backbone", ["resnet50", "resnet101", "densenet169", "inception_v3"])
def test_the_backbones_of_table_v_run_both_ways_with_and_without_the_pyramid(backbone, attention):
    with torch.device("meta"):
        network = create_network("apnet-c2", backbone=backbone, attention=attention, num_classes=3)
        output = network(torch.empty(2, 3, 96, 96))
        (output.pooled[0].sum() + output.logits[0].sum()).backward()
    assert all(w.grad is not None for w in network.parameters() if w.requires_grad)


@pytest.mark.parametrize("name", ["apnet-c2", "apnet-c2-small"])
@pytest.mark.parametrize("radix", [2, 32])
def test_the_multi_part_branch_runs_both_ways(name, radix):
    with torch.device("meta"):
        network = create_network(name, multipart=True, parts=(1, radix), num_classes=3)
        output = network(torch.empty(2, 3, 64, 32))
        sum(each.sum() for each in (*output.pooled, *output.logits)).backward()
    assert len(output.pooled) == len(output.logits) == 3
    assert all(w.grad is not None for w in network.parameters() if w.requires_grad)
