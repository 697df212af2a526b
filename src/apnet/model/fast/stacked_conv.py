"""Several "1x1 convolution, batch norm" blocks on one input, run as one block.

The modules keep their own weights, buffers and names; they only share the passes over the map.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def joint_conv(x: Tensor, convs: Sequence[nn.Conv2d]) -> Tensor:
    """Applies 1x1 convolutions to one map and stacks their outputs, without their biases.

    Args:
        x: (N, C, H, W).
        convs: each from C to some channels, ungrouped, of stride 1.

    Returns:
        (N, sum of the convolutions' channels, H, W).
    """
    return functional.conv2d(x, torch.cat([conv.weight for conv in convs]))


def joint_norm(stacked: Tensor, convs: Sequence[nn.Conv2d], norms: Sequence[nn.Module]) -> Tensor:
    """Adds the biases that ``joint_conv`` left out, where there are any, and applies the norms.

    Args:
        stacked: (N, sum of the convolutions' channels, H, W).
        convs: those of ``joint_conv``.
        norms: what follows each; batch norms are computed as one, anything else by itself.

    Returns:
        A tensor of the same shape; running statistics are updated as the modules would.
    """
    biases = [conv.bias for conv in convs if conv.bias is not None]
    if len(biases) == len(convs):
        stacked = stacked + torch.cat(biases).to(stacked.dtype)[:, None, None]
    plain = [norm for norm in norms if type(norm) is nn.BatchNorm2d and norm.momentum is not None]
    if len(plain) == len(norms) and len({(norm.momentum, norm.eps) for norm in plain}) == 1:
        return _batch_norm(stacked, plain)
    pieces = torch.split(stacked, [conv.out_channels for conv in convs], dim=1)
    return torch.cat([norm(piece) for norm, piece in zip(norms, pieces, strict=True)], dim=1)


def _batch_norm(stacked: Tensor, norms: Sequence[nn.BatchNorm2d]) -> Tensor:
    def all_of(name: str) -> Tensor:
        return torch.cat([getattr(norm, name) for norm in norms])

    mean, variance = all_of("running_mean"), all_of("running_var")
    training, first = norms[0].training, norms[0]
    result = functional.batch_norm(
        stacked,
        mean,
        variance,
        all_of("weight"),
        all_of("bias"),
        training,
        first.momentum or 0.0,
        first.eps,
    )
    if training:
        _update(norms, mean, variance)
    return result


@torch.no_grad()
def _update(norms: Sequence[nn.BatchNorm2d], mean: Tensor, variance: Tensor) -> None:
    """Gives each norm its part of the new running statistics."""
    widths = [norm.num_features for norm in norms]
    for norm, means, variances in zip(
        norms, torch.split(mean, widths), torch.split(variance, widths), strict=True
    ):
        assert norm.running_mean is not None
        assert norm.running_var is not None
        assert norm.num_batches_tracked is not None
        norm.running_mean.copy_(means)
        norm.running_var.copy_(variances)
        norm.num_batches_tracked.add_(1)
