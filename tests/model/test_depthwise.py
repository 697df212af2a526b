"""Depthwise convolutions that train in float32: the same numbers, names and weights."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from apnet.model import create_network
from apnet.model.fast.depthwise import train_depthwise_in_float32


def convolution(stride: int = 2, groups: int = 8) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(8, 8, 5, stride=stride, padding=2, groups=groups)


def in_bf16(module: nn.Module) -> torch.Tensor:
    torch.manual_seed(1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return module(torch.randn(2, 8, 12, 6))


def test_training_is_exactly_float32() -> None:
    plain, changed = convolution(), convolution()
    train_depthwise_in_float32(changed)
    torch.manual_seed(1)
    exact = plain(torch.randn(2, 8, 12, 6))
    assert torch.equal(in_bf16(changed), exact)
    assert in_bf16(changed).dtype == torch.float32
    assert not torch.equal(in_bf16(plain).float(), exact)


def test_evaluation_and_weights_are_left_alone() -> None:
    plain, changed = convolution().eval(), convolution().eval()
    train_depthwise_in_float32(changed)
    assert torch.equal(in_bf16(changed), in_bf16(plain))
    assert changed.state_dict().keys() == plain.state_dict().keys()


def test_a_copy_uses_its_own_weights() -> None:
    first = convolution()
    train_depthwise_in_float32(first)
    second = copy.deepcopy(first)
    with torch.no_grad():
        second.weight.zero_()
        second.bias.zero_()
    assert float(in_bf16(second).detach().abs().max()) == 0
    assert float(in_bf16(first).detach().abs().max()) > 0


@pytest.mark.parametrize("changes", [{"groups": 1}, {"groups": 4}])
def test_other_convolutions_stay(changes: dict[str, int]) -> None:
    module = convolution(**changes)
    train_depthwise_in_float32(module)
    assert type(module) is nn.Conv2d


def test_a_mobile_backbone_has_them() -> None:
    network = create_network(
        "apnet-c0-small", backbone="tf_efficientnet_lite0", backbone_options={}, num_classes=3
    )
    kinds = {
        type(m).__mro__[1].__name__
        for m in network.modules()
        if type(m).__module__ == "apnet.model.fast.depthwise"
    }
    assert kinds
