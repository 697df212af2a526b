"""Every fast path of the network equals the plain computation, gradients included."""

import copy
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from apnet.devices import autocast
from apnet.losses import apnet_loss
from apnet.model import AttentionPyramid, SpatialAttention, create_network
from apnet.model.fast import channels_last
from apnet.model.fast.relations import relate
from apnet.model.fast.stacked_conv import joint_conv, joint_norm

sys.path.insert(0, str(Path(__file__).parent / "model"))
import literal
from comparing import assert_same, relative, scramble, value_and_gradients


def map_of(*shape, dtype=torch.float32):
    torch.manual_seed(0)
    return torch.randn(*shape, dtype=dtype).to(memory_format=torch.channels_last)


@pytest.mark.parametrize("shape", [(5, 16, 9, 4), (1, 3, 1, 1), (40, 64, 24, 24)])
def test_pooling_a_channels_last_map_is_its_mean(shape):
    x = map_of(*shape)
    fast, plain = (
        value_and_gradients(function, x, [])
        for function in (channels_last.pool, lambda x: x.mean((2, 3)))
    )
    assert channels_last._as_matrices(x)
    assert all(relative(a, b) < 1e-5 for a, b in zip(fast, plain, strict=True))


@pytest.mark.parametrize("gate_shape", [(5, 16, 1, 1), (5, 1, 9, 4)])
@pytest.mark.parametrize("piece", [1, 2**20])
def test_scaling_equals_multiplication_whatever_the_pieces(gate_shape, piece, monkeypatch):
    monkeypatch.setattr(channels_last, "_PIECE_BYTES", piece)
    x, gate = map_of(5, 16, 9, 4), torch.rand(gate_shape, requires_grad=True)
    fast = value_and_gradients(lambda x: channels_last.scale(x, gate), x, [gate])
    plain = value_and_gradients(lambda x: x * gate, x, [gate])
    assert all(relative(a, b) < 1e-5 for a, b in zip(fast, plain, strict=True))


@pytest.mark.parametrize("parts", [(1,), (1, 2), (1, 2, 4)])
@pytest.mark.parametrize("attention", ["channel", "spatial"])
def test_pyramids_on_channels_last_maps_equal_the_equations(attention, parts):
    torch.manual_seed(0)
    pyramid = scramble(AttentionPyramid(16, parts, attention, (8, 4))).eval()
    x = map_of(6, 16, 8, 4)
    assert_same(pyramid, lambda x: literal.pyramid(x, pyramid), x, pyramid)


def test_second_derivatives_of_a_pyramid_are_right():
    torch.manual_seed(0)
    pyramid = AttentionPyramid(8, (1, 2), reduction=2).double()
    x = map_of(2, 8, 3, 2, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradgradcheck(pyramid, (x,))


def test_gradients_reach_the_weights_when_the_map_needs_none():
    torch.manual_seed(0)
    pyramid = AttentionPyramid(16, (1, 2))
    x = map_of(3, 16, 6, 2)
    pyramid(x).square().sum().backward()
    got = [weight.grad.clone() for weight in pyramid.parameters()]
    pyramid.zero_grad()
    literal.pyramid(x, pyramid).square().sum().backward()
    for mine, weight in zip(got, pyramid.parameters(), strict=True):
        assert relative(mine, weight.grad) < 1e-5


def test_bf16_maps_are_pooled_without_being_rounded_twice():
    x = map_of(4, 32, 16, 8).relu().bfloat16()
    exact = x.double().mean((2, 3))
    assert channels_last.pool(x).dtype is torch.float32
    assert relative(channels_last.pool(x).double(), exact) < 2**-9


def test_gates_leave_autocast():
    pyramid = AttentionPyramid(16, (1, 2))
    x = map_of(4, 16, 8, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        gates = pyramid.gates(x)
    for mine, plain in zip(gates, pyramid.gates(x), strict=True):
        assert torch.equal(mine, plain)


@pytest.mark.parametrize("training", [True, False])
def test_joint_blocks_are_the_blocks_and_keep_their_statistics(training):
    torch.manual_seed(0)
    blocks = [nn.Sequential(nn.Conv2d(8, n, 1), nn.BatchNorm2d(n)) for n in (2, 3, 4)]
    blocks = [scramble(block).train(training) for block in blocks]
    others = copy.deepcopy(blocks)
    x = map_of(4, 8, 5, 3)
    convs, norms = zip(*blocks, strict=True)
    joined = joint_norm(joint_conv(x, convs), convs, norms)
    assert relative(joined, torch.cat([other(x) for other in others], dim=1)) < 1e-5
    for block, other in zip(blocks, others, strict=True):
        assert torch.equal(block[1].num_batches_tracked, other[1].num_batches_tracked)
        assert relative(block[1].running_mean, other[1].running_mean) < 1e-5
        assert relative(block[1].running_var, other[1].running_var) < 1e-5


def test_norms_that_were_folded_away_are_left_out():
    torch.manual_seed(0)
    convs = [nn.Conv2d(8, 2, 1), nn.Conv2d(8, 3, 1)]
    x = map_of(2, 8, 4, 2)
    joined = joint_norm(joint_conv(x, convs), convs, [nn.Identity(), nn.Identity()])
    assert relative(joined, torch.cat([conv(x) for conv in convs], dim=1)) < 1e-5


def test_relations_have_right_first_and_second_derivatives():
    torch.manual_seed(0)
    nodes = torch.randn(2, 2, 3, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 10, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda n, w: relate(n[0], n[1], w), (nodes, weight))
    assert torch.autograd.gradgradcheck(lambda n, w: relate(n[0], n[1], w), (nodes, weight))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_relations_keep_to_their_inputs_type_under_autocast(dtype):
    theta, phi = torch.randn(2, 2, 3, 5, dtype=dtype).requires_grad_()
    weight = torch.randn(4, 10, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        related = relate(theta, phi, weight)
    related.square().sum().backward()
    assert related.dtype is dtype
    assert weight.grad.dtype is torch.float32


def test_relations_keep_no_copies_of_nodes():
    embedded = map_of(2, 24, 16, 8).requires_grad_()
    weight, kept = torch.randn(16, 256, requires_grad=True), []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):
        theta, phi, _ = embedded.chunk(3, dim=1)
        relate(theta.flatten(2), phi.flatten(2), weight)
    inputs = {x.untyped_storage().data_ptr() for x in (embedded, weight)}
    copies = [x for x in kept if x.untyped_storage().data_ptr() not in inputs]
    assert len(kept) == 5
    assert sum(x.numel() for x in copies) == 2 * 2 * 8 * 16  # what theta and phi send: N C' K each


def test_a_gate_passes_the_projection():
    attention = SpatialAttention(16, (8, 4))
    x, gate = map_of(2, 16, 8, 4), torch.rand(2, 1, 8, 4)
    assert relative(attention.project(x) * gate, attention.project(x * gate)) < 1e-5


def losses(network, images, precision, steps=5):
    labels = torch.arange(len(images)) // 4
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=1e-4, fused=True)
    for _ in range(steps):
        with autocast(precision, images.device):
            output = network(images)
        loss = apnet_loss(output.pooled, output.logits, labels).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def test_training_in_bf16_and_channels_last_follows_float32():
    torch.manual_seed(0)
    plain = create_network("apnet-c2-small", num_classes=8)
    fast = copy.deepcopy(plain).to(memory_format=torch.channels_last)
    images = torch.randn(16, 3, 64, 32)
    expected = list(losses(plain, images, "float32"))
    got = list(losses(fast, images.to(memory_format=torch.channels_last), "bf16"))
    assert got == pytest.approx(expected, rel=5e-3)
    assert expected[-1] < expected[0]


def test_a_captured_channel_network_takes_any_batch():
    network = create_network("apnet-c2-small", image_size=(32, 16)).eval()
    scramble(network)
    x = map_of(5, 3, 32, 16)
    with torch.no_grad():
        batch = {0: torch.export.Dim("batch")}
        captured = torch.export.export(network, (x[:3],), dynamic_shapes=(batch,)).module()
        got, expected = (made(x).pooled[0] for made in (captured, network))
    assert len(expected) == 5
    assert relative(got, expected) < 1e-6
