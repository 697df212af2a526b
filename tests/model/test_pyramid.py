import hypothesis.strategies as st
import literal
import pytest
import torch
from comparing import assert_same, relative, scramble
from hypothesis import given, settings

from apnet.errors import ConfigError
from apnet.model import AttentionPyramid, ChannelAttention, SpatialAttention
from apnet.model.fast.relations import relate

few = settings(max_examples=10, derandomize=True, deadline=None, database=None)
levels = st.lists(st.sampled_from([1, 2, 4]), min_size=1, max_size=3).map(tuple)


@few
@given(
    parts=levels,
    width=st.integers(1, 5),
    size=st.tuples(st.integers(1, 7), st.integers(1, 5)),
    reduction=st.sampled_from([1, 2, 16]),
    seed=st.integers(0, 99),
)
def test_channel_pyramid_equals_the_equations(parts, width, size, reduction, seed):
    torch.manual_seed(seed)
    pyramid = AttentionPyramid(8 * width, parts, reduction=reduction)
    x = torch.randn(3, 8 * width, *size)
    assert_same(pyramid, lambda x: literal.pyramid(x, pyramid), x, pyramid)


@few
@given(
    parts=levels,
    channels=st.integers(1, 20),
    size=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    seed=st.integers(0, 99),
)
def test_spatial_pyramid_equals_the_equations(parts, channels, size, seed):
    torch.manual_seed(seed)
    size = (4 * size[0], size[1])
    pyramid = scramble(AttentionPyramid(channels, parts, "spatial", size)).eval()
    x = torch.randn(2, channels, *size)
    assert_same(pyramid, lambda x: literal.pyramid(x, pyramid), x, pyramid)


@few
@given(parts=levels, channels=st.integers(4, 20), seed=st.integers(0, 99))
def test_spatial_pyramid_equals_the_equations_with_batch_statistics(parts, channels, seed):
    torch.manual_seed(seed)
    pyramid = scramble(AttentionPyramid(channels, parts, "spatial", (8, 3))).double()
    x = torch.randn(4, channels, 8, 3, dtype=torch.float64)
    assert_same(pyramid, lambda x: literal.pyramid(x, pyramid), x, pyramid)


@pytest.mark.parametrize("attention", ["channel", "spatial"])
def test_levels_end_where_forward_does_and_differ_by_the_gates(attention):
    torch.manual_seed(0)
    pyramid = scramble(AttentionPyramid(16, (1, 2, 4), attention, (8, 4))).eval()
    x = torch.randn(2, 16, 8, 4)
    maps, gates = pyramid.levels(x), pyramid.gates(x)
    assert len(maps) == 4
    assert len(gates) == 3
    assert maps[0] is x
    for before, after, gate in zip(maps, maps[1:], gates, strict=False):
        assert gate.shape == ((2, 16, 1, 1) if attention == "channel" else (2, 1, 8, 4))
        assert gate.min() > 0
        assert gate.max() < 1
        assert relative(after, before * gate) < 1e-5
    assert relative(pyramid(x), maps[-1]) < 1e-5


def test_sub_attentions_of_a_channel_level_do_not_see_each_other():
    torch.manual_seed(0)
    attention = ChannelAttention(32, parts=2, reduction=4)
    pooled = torch.randn(3, 32)
    changed = pooled.clone()
    changed[:, 16:] += 1
    before, after = attention(pooled), attention(changed)
    assert torch.equal(before[:, :16], after[:, :16])
    assert not torch.equal(before[:, 16:], after[:, 16:])


@pytest.mark.parametrize(
    ("channels", "parts", "hidden"), [(256, 1, 16), (256, 2, 16), (256, 32, 32), (2048, 4, 128)]
)
def test_hidden_width_is_a_sixteenth_of_each_part_and_at_least_one(channels, parts, hidden):
    attention = ChannelAttention(channels, parts)
    assert attention.squeeze.out_channels == hidden
    assert sum(p.numel() for p in attention.parameters()) == 2 * hidden * channels // parts


def test_spatial_widths_follow_rga_and_never_reach_zero():
    attention = SpatialAttention(256, (64, 32))
    assert attention.theta[0].out_channels == 32
    assert attention.relation.weight.shape == (256, 2 * 2048)
    assert attention.score[0][0].weight.shape[:2] == (257 // 8, 257)
    smallest = SpatialAttention(3, (1, 2)).eval()
    assert smallest(torch.randn(1, 3, 1, 2)).shape == (1, 1, 1, 2)


def test_relate_equals_the_convolved_relation_matrix():
    torch.manual_seed(0)
    theta, phi = torch.rand(2, 3, 10), torch.rand(2, 3, 10)
    weight = torch.randn(4, 20)
    matrix = theta.transpose(1, 2) @ phi
    expected = weight[:, :10] @ matrix.transpose(1, 2) + weight[:, 10:] @ matrix
    assert relative(relate(theta, phi, weight), expected) < 1e-5


def test_relate_stores_no_relation_matrix_for_the_backward_pass():
    nodes = 256
    theta = torch.rand(1, 4, nodes, requires_grad=True)
    phi = torch.rand(1, 4, nodes, requires_grad=True)
    weight = torch.rand(32, 2 * nodes, requires_grad=True)
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: sizes.append(t.numel()) or t, lambda t: t
    ):
        relate(theta, phi, weight)
    assert max(sizes) < nodes * nodes


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"channels": 18, "parts": (1, 2, 4)}, ["level 3", "18 channels", "4 parts", "1, 2, 3, 6"]),
        (
            {"channels": 8, "parts": (1, 2), "attention": "spatial", "size": (5, 4)},
            ["level 2", "5 rows", "2 parts", "1, 5"],
        ),
        ({"channels": 8, "parts": ()}, ["at least one level"]),
        ({"channels": 8, "parts": (0,)}, ["level 1", "0 parts"]),
        ({"channels": 8, "attention": "spatial"}, ["height and width"]),
        ({"channels": 8, "attention": "temporal"}, ["'temporal'", "spatial"]),
        ({"channels": 8, "reduction": 0}, ["reduction 0"]),
    ],
)
def test_impossible_pyramids_are_refused_with_the_numbers(arguments, words):
    with pytest.raises(ConfigError) as caught:
        AttentionPyramid(**arguments)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("training", [True, False])
def test_spatial_gates_begin_at_one_half_and_learn(training):
    pyramid = AttentionPyramid(8, (1, 2), "spatial", (8, 4)).train(training)
    x = torch.randn(2, 8, 8, 4)
    gates = pyramid.gates(x)
    assert all(torch.equal(gate, torch.full_like(gate, 0.5)) for gate in gates)
    pyramid(x).square().mul(torch.rand_like(x)).sum().backward()
    scales = [attend.score[-1].weight for level in pyramid.attends for attend in level.attends]
    assert all(scale.grad.abs().item() > 0 for scale in scales)


def test_a_map_of_another_size_is_refused():
    attention = SpatialAttention(8, (8, 4))
    with pytest.raises(ConfigError, match="8x4, got 6x4"):
        attention(torch.zeros(1, 8, 6, 4))


@pytest.mark.parametrize("arguments", [(0, (4, 4)), (8, (0, 4))])
def test_spatial_attention_without_channels_or_nodes_is_refused(arguments):
    with pytest.raises(ConfigError, match="spatial attention"):
        SpatialAttention(*arguments)
