"""Each built-in attention against its paper's formula, written with loops and plain operations."""

import math

import literal
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


def sigmoid(x):
    return 1 / (1 + torch.exp(-x))


def eca(x, attention):
    weight = attention.conv.weight.flatten()
    pooled, half = x.mean(dim=(2, 3)), len(weight) // 2
    columns = []
    for channel in range(x.shape[1]):
        total = torch.zeros_like(pooled[:, 0])
        for tap in range(len(weight)):
            neighbour = channel + tap - half
            if 0 <= neighbour < x.shape[1]:
                total = total + weight[tap] * pooled[:, neighbour]
        columns.append(total)
    return torch.stack(columns, dim=1)[:, :, None, None]


def perceptron(pooled, attention):
    """``W_1 ReLU(W_0 .)`` of vectors."""
    first, second = attention.squeeze.weight.squeeze(2), attention.excite.weight.squeeze(2)
    return (pooled @ first.T).clamp(min=0) @ second.T


def cbam(x, attention):
    largest = x.flatten(2).max(dim=2).values
    logits = perceptron(x.mean(dim=(2, 3)), attention.channel)
    logits = logits + perceptron(largest, attention.channel)
    x = x * sigmoid(logits)[:, :, None, None]
    stacked = torch.stack((x.mean(dim=1), x.max(dim=1).values), dim=1)
    height, width = x.shape[2:]
    weight = attention.spatial.weight[0]  # (2, 7, 7)
    rows = []
    for row in range(height):
        for column in range(width):
            total = torch.zeros_like(x[:, 0, 0, 0])
            for i in range(max(row - 3, 0), min(row + 4, height)):
                for j in range(max(column - 3, 0), min(column + 4, width)):
                    total = total + stacked[:, :, i, j] @ weight[:, i - row + 3, j - column + 3]
            rows.append(total)
    gate = sigmoid(torch.stack(rows, dim=1)).reshape(len(x), 1, height, width)
    return x * gate


def coordinate(x, attention):
    conv, norm, _ = attention.shared
    rows = x.sum(dim=3) / x.shape[3]  # (N, C, H)
    columns = x.sum(dim=2) / x.shape[2]  # (N, C, W)
    squeezed = torch.einsum("kc,ncl->nkl", conv.weight.flatten(1), torch.cat((rows, columns), 2))
    normed = literal.norm(squeezed, norm, (0, 2))
    shared = normed * (normed + 3).clamp(0, 6) / 6
    of_rows, of_columns = shared[:, :, : x.shape[2]], shared[:, :, x.shape[2] :]
    row_gate = sigmoid(torch.einsum("ck,nkh->nch", attention.of_rows.weight.flatten(1), of_rows))
    weight = attention.of_columns.weight.flatten(1)
    column_gate = sigmoid(torch.einsum("ck,nkw->ncw", weight, of_columns))
    return torch.einsum("nchw,nch,ncw->nchw", x, row_gate, column_gate)


def gather_excite(x, attention):
    extent = attention.gather.stride
    first, second = attention.squeeze.weight.flatten(1), attention.excite.weight.flatten(1)
    logits = torch.zeros_like(x)
    for row in range(x.shape[2]):
        for column in range(x.shape[3]):
            top, left = row // extent * extent, column // extent * extent
            near = x[
                :,
                :,
                max(top - extent + 1, 0) : top + extent,
                max(left - extent + 1, 0) : left + extent,
            ]
            gathered = near.mean(dim=(2, 3))
            logits[:, :, row, column] = (gathered @ first.T).clamp(min=0) @ second.T
    return logits


def non_local(x, attention):
    theta, phi, g = literal.conv1x1(x, attention.embed.weight).flatten(2).chunk(3, dim=1)
    nodes = []
    for p in range(theta.shape[2]):
        weights = torch.stack(
            [torch.exp((theta[:, :, p] * phi[:, :, q]).sum(1)) for q in range(phi.shape[2])], dim=1
        )
        nodes.append(torch.einsum("nq,ncq->nc", weights / weights.sum(1, keepdim=True), g))
    context = torch.stack(nodes, dim=2).reshape(len(x), -1, *x.shape[2:])
    context = literal.conv1x1(context, attention.output.weight)
    return x + literal.norm(context, attention.norm, (0, 2, 3))


def rga_c(x, attention):
    """RGA-C with its (N, C, C) relations, by rows of channels."""
    inner, count = attention.nodes, x.shape[1]
    nodes = x.permute(0, 2, 3, 1).reshape(len(x), -1, count, 1)  # (N, H*W, C, 1)
    theta = literal.conv_norm_relu(nodes, inner.theta).squeeze(3)
    phi = literal.conv_norm_relu(nodes, inner.phi).squeeze(3)
    overview = literal.conv_norm_relu(nodes, inner.overview).mean(dim=1, keepdim=True)
    related = literal.relations(theta, phi)  # (N, C, C)
    stacked = torch.cat((related.transpose(1, 2), related), dim=1).unsqueeze(3)  # (N, 2C, C, 1)
    embedded = literal.conv1x1(stacked, inner.relation.weight)
    embedded = literal.norm(embedded, inner.relation_norm, (0, 2, 3)).clamp(min=0)
    joined = torch.cat((overview, embedded), dim=1)
    hidden = literal.conv_norm_relu(joined, inner.score[0])
    scores = literal.conv1x1(hidden, inner.score[1].weight)
    scores = literal.norm(scores, inner.score[2], (0, 2, 3))  # (N, 1, C, 1)
    return scores.reshape(len(x), count, 1, 1)


NAIVE = {
    "channel": lambda x, a: literal.squeeze_excite(x, a, 0)[:, :, None, None],
    "spatial": literal.spatial,
    "eca": eca,
    "cbam": cbam,
    "coordinate": coordinate,
    "gather-excite": gather_excite,
    "non-local": non_local,
    "rga-c": rga_c,
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
