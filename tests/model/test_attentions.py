"""Each built-in attention against its paper's formula."""

import math

import literal
import literal_attentions
import pytest
import torch
from comparing import relative, scramble, value_and_gradients
from torch import nn

from apnet.errors import ConfigError
from apnet.model import AttentionPyramid
from apnet.model.attention import (
    ATTENTIONS,
    ChannelAttention,
    ConvolutionalBlockAttention,
    CoordinateAttention,
    EfficientChannelAttention,
    GatherExcite,
    NonLocal,
    RelationChannelAttention,
)

CHANNELS, SIZE, REDUCTION = 12, (6, 4), 4


NAIVE = {
    "channel": lambda x, a: literal.squeeze_excite(x, a, 0)[:, :, None, None],
    "spatial": literal.spatial,
    "eca": literal_attentions.eca,
    "cbam": literal_attentions.cbam,
    "coordinate": literal_attentions.coordinate,
    "gather-excite": literal_attentions.gather_excite,
    "non-local": literal_attentions.non_local,
    "rga-c": literal_attentions.rga_c,
}
OF_LOGITS = [name for name, kind in ATTENTIONS.items() if kind.returns == "logits"]


def built(name, channels=CHANNELS, size=SIZE):
    return scramble(ATTENTIONS[name].build(channels, size, REDUCTION))


def test_every_built_in_attention_has_a_formula_here():
    assert set(NAIVE) == set(ATTENTIONS)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", NAIVE)
@pytest.mark.parametrize("channels_last", [False, True])
def test_attention_equals_its_formula(name, training, channels_last):
    attention = built(name).double().train(training)
    x = torch.randn(3, CHANNELS, *SIZE, dtype=torch.float64)
    if channels_last:
        x = x.to(memory_format=torch.channels_last)
    weights = list(attention.parameters())
    got = value_and_gradients(attention, x, weights)
    expected = value_and_gradients(lambda x: NAIVE[name](x, attention), x, weights)
    scale = torch.cat([value.flatten() for value in expected]).norm().item()
    for mine, theirs in zip(got, expected, strict=True):
        assert (mine - theirs).norm().item() <= 1e-9 * theirs.norm().item() + 1e-12 * scale


@pytest.mark.parametrize("name", NAIVE)
def test_float32_and_one_image_equal_the_formula(name):
    attention = built(name).eval()
    x = torch.randn(1, CHANNELS, *SIZE)
    assert relative(attention(x), NAIVE[name](x, attention)) < 1e-5


@pytest.mark.parametrize("name", NAIVE)
def test_autocast_keeps_shape_and_comes_close(name):
    attention = built(name).eval()
    x = torch.randn(2, CHANNELS, *SIZE).to(memory_format=torch.channels_last)
    exact = attention(x)
    with torch.autocast("cpu", torch.bfloat16):
        close = attention(x)
        half = attention(x.bfloat16())
    assert close.shape == half.shape == exact.shape
    assert relative(close.float(), exact) < 0.03
    assert relative(half.float(), exact) < 0.05


@pytest.mark.parametrize("name", NAIVE)
def test_training_under_autocast_gives_every_weight_a_finite_gradient(name):
    attention = built(name)
    x = torch.randn(2, CHANNELS, *SIZE, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        output = attention(x)
    output.float().square().sum().backward()
    for tensor in (x, *attention.parameters()):
        assert tensor.grad.isfinite().all()


@pytest.mark.parametrize("name", NAIVE)
@pytest.mark.parametrize("size", [(1, 1), (1, 3), (5, 7)])
@pytest.mark.parametrize("channels", [1, 3])
def test_small_and_odd_pieces_equal_the_formula(name, size, channels):
    attention = built(name, channels, size).double().eval()
    x = torch.randn(2, channels, *size, dtype=torch.float64)
    assert relative(attention(x), NAIVE[name](x, attention)) < 1e-9


@pytest.mark.parametrize("name", OF_LOGITS)
def test_logits_can_begin_at_zero_and_learn(name):
    attention = ATTENTIONS[name].build(CHANNELS, SIZE, REDUCTION)
    attention.zero_logits()
    logits = attention(torch.randn(4, CHANNELS, *SIZE))
    assert torch.equal(logits, torch.zeros_like(logits))
    (logits * torch.rand_like(logits)).sum().backward()
    assert any(weight.grad.norm() > 0 for weight in attention.parameters())


@pytest.mark.parametrize("name", NAIVE)
def test_a_pyramid_of_it_can_be_exported(name):
    pyramid = scramble(AttentionPyramid(CHANNELS, (1, 2), name, SIZE, reduction=REDUCTION)).eval()
    x = torch.randn(2, CHANNELS, *SIZE)
    exported = torch.export.export(pyramid, (x,))
    assert relative(exported.module()(x), pyramid(x)) < 1e-5


def test_non_local_block_begins_as_the_identity():
    block = NonLocal(CHANNELS)
    x = torch.randn(2, CHANNELS, *SIZE)
    assert torch.equal(block(x), x)


def test_gather_excite_is_constant_over_cells():
    logits = GatherExcite(CHANNELS, REDUCTION, extent=2)(torch.randn(1, CHANNELS, 6, 4))
    cells = logits[:, :, ::2, ::2]
    assert torch.equal(cells.repeat_interleave(2, 2).repeat_interleave(2, 3), logits)
    assert not torch.equal(cells[:, :, 0], cells[:, :, 1])


@pytest.mark.parametrize(
    ("channels", "kernel"), [(1, 1), (8, 3), (64, 3), (128, 5), (256, 5), (512, 5), (2048, 7)]
)
def test_kernel_of_eca_is_the_nearest_odd_number(channels, kernel):
    exact = math.log2(channels) / 2 + 1 / 2
    assert abs(kernel - exact) <= 1
    assert EfficientChannelAttention(channels).conv.kernel_size == (kernel,)


def test_rga_c_stores_no_relation_matrix_for_the_backward_pass():
    channels = 128
    attention = RelationChannelAttention(channels, (2, 2))
    sizes = []
    weights = {weight.data_ptr() for weight in attention.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: sizes.append(t.numel() * (t.data_ptr() not in weights)) or t, lambda t: t
    ):
        attention(torch.randn(2, channels, 2, 2))
    assert 0 < max(sizes) < channels * channels


@pytest.mark.parametrize(
    ("build", "hidden"),
    [
        (lambda: ConvolutionalBlockAttention(3).channel.squeeze.out_channels, 1),
        (lambda: ConvolutionalBlockAttention(32).channel.squeeze.out_channels, 2),
        (lambda: CoordinateAttention(3).of_rows.in_channels, 1),
        (lambda: CoordinateAttention(64).of_rows.in_channels, 2),
        (lambda: GatherExcite(3).squeeze.out_channels, 1),
        (lambda: GatherExcite(32).squeeze.out_channels, 2),
        (lambda: NonLocal(1).output.in_channels, 1),
        (lambda: NonLocal(8).output.in_channels, 4),
    ],
)
def test_widths_follow_the_papers_and_are_at_least_one(build, hidden):
    assert build() == hidden


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: ConvolutionalBlockAttention(8, 0), "cbam attention.*reduction 0"),
        (lambda: CoordinateAttention(0), "coordinate attention.*0 channels"),
        (lambda: GatherExcite(8, -1), "gather-excite attention.*reduction -1"),
        (lambda: NonLocal(0), "non-local attention.*0 channels"),
        (lambda: EfficientChannelAttention(0), "eca attention.*0 channels"),
        (lambda: RelationChannelAttention(8, (0, 2)), "rga-c attention got 8 channels"),
    ],
)
def test_impossible_widths_are_refused(build, words):
    with pytest.raises(ConfigError, match=words):
        build()


def test_rga_c_refuses_a_map_of_another_shape():
    attention = RelationChannelAttention(8, (4, 2))
    with pytest.raises(ConfigError, match="8x4x2, got 8x3x2"):
        attention(torch.zeros(1, 8, 3, 2))


def test_cbam_shares_one_perceptron():
    attention = ConvolutionalBlockAttention(8, 2)
    assert isinstance(attention.channel, ChannelAttention)
    names = {name for name, _ in attention.named_parameters()}
    assert names == {"channel.squeeze.weight", "channel.excite.weight", "spatial.weight"}
    assert not any(isinstance(module, nn.BatchNorm2d) for module in attention.modules())
