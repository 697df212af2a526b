import pytest
import torch
from comparing import relative, scramble
from torch import nn

from apnet.errors import ConfigError
from apnet.model import APNet, Branch, create_network, recorded_levels

IMAGES = (128, 64)


def small(**changes):
    return scramble(create_network("apnet-c2-small", num_classes=5, **changes))


def test_training_gets_the_feature_before_the_neck_and_the_logits_after_it():
    network = small().eval()
    images = torch.randn(3, 3, *IMAGES)
    output = network(images)
    assert [each.shape for each in output.pooled] == [(3, 256)]
    assert [each.shape for each in output.logits] == [(3, 5)]
    head = network.branches[0].heads[0]
    assert relative(output.pooled[0], network.trunk(images).mean(dim=(2, 3))) < 1e-5
    normalised = head.neck(output.pooled[0])
    assert relative(output.logits[0], normalised @ head.classifier.weight.T) < 1e-5
    assert torch.equal(network.embed(images), normalised)


@pytest.mark.parametrize(("feature", "dim"), [("bn", 256), ("pooled", 256), ("logits", 5)])
def test_the_embedding_is_the_feature_asked_for(feature, dim):
    network = small(feature=feature).eval()
    images = torch.randn(2, 3, *IMAGES)
    output = network(images)
    expected = {
        "bn": network.branches[0].heads[0].neck(output.pooled[0]),
        "pooled": output.pooled[0],
        "logits": output.logits[0],
    }
    assert network.feature_dim == dim
    assert torch.equal(network.embed(images), expected[feature])


def test_the_neck_has_no_shift_and_the_classifier_no_bias():
    network = create_network("apnet-c2-small", num_classes=400)
    head = network.branches[0].heads[0]
    assert not head.neck.bias.requires_grad
    assert head.neck.bias.abs().max() == 0
    assert head.neck.weight.min() == head.neck.weight.max() == 1
    assert head.classifier.bias is None
    assert head.classifier.weight.std().item() == pytest.approx(0.001, rel=0.05)


def test_without_classes_there_is_no_classifier():
    network = create_network("apnet-c2-small").eval()
    output = network(torch.randn(2, 3, *IMAGES))
    assert output.logits == ()
    assert network.embed(torch.randn(2, 3, *IMAGES)).shape == (2, 256)
    assert network.num_classes == 0
    assert [head.classifier for head in network.heads] == [None]
    with pytest.raises(ConfigError, match="num_classes above 0"):
        create_network("apnet-c2-small", feature="logits")


def test_the_local_branch_pools_the_upper_and_the_lower_half():
    network = small(multipart=True).eval()
    images = torch.randn(2, 3, *IMAGES)
    output = network(images)
    assert [each.shape for each in output.pooled] == [(2, 256)] * 3
    assert [each.shape for each in output.logits] == [(2, 5)] * 3
    shared = network.trunk(images)
    assert shared.shape == (2, 64, 16, 8)
    local = network.branches[1].body(shared)
    rows = local.shape[2] // 2
    assert relative(output.pooled[1], local[:, :, :rows].mean(dim=(2, 3))) < 1e-5
    assert relative(output.pooled[2], local[:, :, rows:].mean(dim=(2, 3))) < 1e-5
    assert network.feature_dim == 3 * 256
    embedding = network.embed(images)
    necks = [head.neck for branch in network.branches for head in branch.heads]
    for number, neck in enumerate(necks):
        part = embedding[:, 256 * number : 256 * (number + 1)]
        assert relative(part, neck(output.pooled[number])) < 1e-5


def test_the_local_branch_starts_as_a_copy_with_weights_of_its_own():
    network = create_network("apnet-c2-small", multipart=True, num_classes=5)
    pairs = zip(
        network.branches[0].body.parameters(), network.branches[1].body.parameters(), strict=True
    )
    for mine, copied in pairs:
        assert torch.equal(mine, copied)
        assert mine is not copied
    assert [name for name, _ in network.trunk.named_children()] == ["stem", "layer1", "layer2"]
    assert [name for name, _ in network.branches[1].body.named_children()] == ["layer3", "layer4"]


def test_the_local_branch_needs_a_backbone_that_can_be_cut():
    with pytest.raises(ConfigError, match=r"multipart.*mobilenetv4_conv_small"):
        create_network("apnet-c2-multipart", backbone="mobilenetv4_conv_small")


@pytest.mark.parametrize("multipart", [False, True])
def test_level_maps_are_the_mean_magnitudes_of_every_level(multipart):
    network = small(multipart=multipart).train()
    images = torch.randn(2, 3, *IMAGES)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    maps = network.level_maps(images)
    assert [[tuple(level.shape) for level in stage] for stage in maps] == [
        [(2, 32, 16)] * 3,
        [(2, 16, 8)] * 3,
        [(2, 8, 4)] * 3,
        [(2, 8, 4)] * 3,
    ]
    assert network.training
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    network.eval()
    stage = network.stages[0]
    x = stage.body(network.trunk.stem(images))
    first, second = stage.pyramid.gates(x)
    assert relative(maps[0][0], x.abs().mean(dim=1)) < 1e-5
    assert relative(maps[0][1], (x * first).abs().mean(dim=1)) < 1e-5
    assert relative(maps[0][2], (x * first * second).abs().mean(dim=1)) < 1e-5


def test_level_maps_of_a_network_without_pyramids_are_its_stages():
    maps = create_network("apnet-c0-small").level_maps(torch.randn(1, 3, *IMAGES))
    assert [len(stage) for stage in maps] == [1, 1, 1, 1]


def test_recorded_levels_stand_in_the_graph():
    network = small(reduction=1).eval()
    images = torch.randn(2, 3, *IMAGES)
    fused = network.embed(images)
    with recorded_levels(network.stages) as record:
        literal = network.embed(images)
    assert relative(literal, fused) < 1e-5
    for stage, levels in zip(network.stages, record, strict=True):
        assert len(levels) == 3
        gradients = torch.autograd.grad(literal.sum(), levels, retain_graph=True)
        gate = stage.pyramid.attends[1]
        for level, gradient in zip(levels, gradients, strict=True):
            assert gradient.shape == level.shape
            assert gradient.abs().max() > 0
        direct = gradients[2] * torch.sigmoid(gate(levels[1].mean(dim=(2, 3))))[:, :, None, None]
        assert relative(direct, gradients[1]) > 1e-6  # the path through the second gate counts
    assert torch.equal(network.embed(images), fused)


def test_a_step_changes_every_weight_that_may_change():
    network = small(multipart=True, reduction=1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    output = network(torch.randn(8, 3, *IMAGES))
    labels = torch.arange(8) % 5
    loss = sum(nn.functional.cross_entropy(logits, labels) for logits in output.logits)
    (loss + sum(pooled.square().sum() for pooled in output.pooled)).backward()
    optimizer.step()
    unchanged = [n for n, w in network.named_parameters() if torch.equal(before[n], w)]
    assert sorted(unchanged) == [
        f"branches.{b}.heads.{h}.neck.bias" for b, h in ((0, 0), (1, 0), (1, 1))
    ]


def test_a_network_can_be_put_together_from_any_parts():
    trunk = nn.Sequential(nn.Conv2d(3, 4, 3, stride=4), nn.ReLU())
    network = APNet(trunk, [Branch(nn.Identity(), 4, 1, 2), Branch(nn.Identity(), 4, 3, 2)])
    output = network(torch.randn(2, 3, 32, 16))
    assert len(output.pooled) == len(output.logits) == 4
    assert network.feature_dim == 16
    assert network.stages == ()


def test_channels_last_and_half_precision_agree_with_float32():
    network = small().eval()
    images = torch.randn(2, 3, *IMAGES)
    expected = network.embed(images)
    network.to(memory_format=torch.channels_last)
    last = images.to(memory_format=torch.channels_last)
    assert relative(network.embed(last), expected) < 1e-5
    with torch.autocast("cpu", torch.bfloat16):
        half = network.embed(last).float()
    assert nn.functional.cosine_similarity(half, expected).min() > 0.99
