"""Pooling and scaling of whole maps with the fewest passes over memory.

Channels-last maps on a processor are (N, H*W, C) matrices: their sums are matrix products, which
read bf16 as it is, and products that are only summed never exist as a whole map.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from apnet.devices import without_autocast

_MATRICES = frozenset({torch.bfloat16, torch.float32, torch.float64})
_PIECE_BYTES = 2**20
"""About what a processor's cache holds of the products that the backward pass sums."""


def pool(x: Tensor) -> Tensor:
    """Averages a map over space: (N, C, H, W) to (N, C); bf16 becomes float32 where it can."""
    if not _as_matrices(x):
        return x.mean(dim=tuple(range(2, x.ndim)))
    pooled: Tensor = _Pool.apply(x)
    return pooled


def scale(x: Tensor, gate: Tensor) -> Tensor:
    """Multiplies a map by a gate, in the map's type.

    Args:
        x: (N, C, H, W), or a map of any number of dimensions.
        gate: broadcasts over x; (N, C, 1, 1) and (N, 1, H, W) are computed in fewer passes.

    Returns:
        A tensor like x.
    """
    gate = gate.to(x.dtype)
    if not torch.is_grad_enabled() or not _as_matrices(x) or not _is_plain(gate, x):
        return x * gate
    scaled: Tensor = _Scale.apply(x, gate)
    return scaled


def being_captured() -> bool:
    """Whether the pass is compiled, exported or traced, which own backward passes would stop."""
    return bool(torch.compiler.is_compiling() or torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]


def _as_matrices(x: Tensor) -> bool:
    """Whether x is a channels-last map on a processor, and nobody records or compiles the pass."""
    plain = (
        x.device.type == "cpu"
        and x.dtype in _MATRICES
        and x.ndim == 4
        and x.shape[1] > 1
        and x.is_contiguous(memory_format=torch.channels_last)
        and not being_captured()
    )
    return bool(plain)


def _is_plain(gate: Tensor, x: Tensor) -> bool:
    """Whether a gate is constant over the space or over the channels of x, per image."""
    count, channels, *space = x.shape
    return list(gate.shape) in ([count, channels, 1, 1], [count, 1, *space])


class _Pool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.shape, ctx.dtype = x.shape, x.dtype
        sums = _sums_over_space(x)
        wide = sums.float() if x.dtype is torch.bfloat16 else sums
        return wide / (x.shape[2] * x.shape[3])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        share = (gradients[0] / (ctx.shape[2] * ctx.shape[3])).to(ctx.dtype)
        gradient: Tensor = share[:, :, None, None].expand(ctx.shape)  # (N, C) -> (N, C, H, W)
        return gradient


class _Scale(torch.autograd.Function):
    """``x * gate``, whose backward pass goes through the maps piece by piece."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gate: Tensor) -> Tensor:
        ctx.save_for_backward(x, gate)
        return x * gate

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        x, gate = ctx.saved_tensors
        gradient = gradients[0]
        if torch.is_grad_enabled():  # somebody wants second derivatives
            return gradient * gate, (gradient * x).sum_to_size(gate.shape)
        images = max(1, _PIECE_BYTES * len(x) // (x.numel() * x.element_size()))
        passed, sums = torch.empty_like(x), []
        pieces = (torch.split(each, images) for each in (gradient, x, gate, passed))
        for of_output, of_x, of_gate, target in zip(*pieces, strict=True):
            sums.append(_summed_like(gate, of_output * of_x))
            torch.mul(of_output, of_gate, out=target)
        return passed, torch.cat(sums)


def _summed_like(gate: Tensor, product: Tensor) -> Tensor:
    """Sums a map over the axes along which the gate is constant."""
    if gate.shape[1] > 1:
        return _sums_over_space(product)[:, :, None, None]  # (N, C) -> (N, C, 1, 1)
    rows = _rows(product)
    sums = rows @ rows.new_ones(rows.shape[2], 1)  # (N, H*W, 1)
    return sums.reshape(-1, 1, *product.shape[2:])  # (N, 1, H, W)


def _sums_over_space(x: Tensor) -> Tensor:
    """(N, C, H, W) to (N, C)."""
    rows = _rows(x)
    ones = rows.new_ones(1, 1, rows.shape[1]).expand(len(rows), -1, -1)
    with without_autocast(x.device):
        return (ones @ rows).squeeze(1)


def _rows(x: Tensor) -> Tensor:
    """(N, C, H, W) to (N, H*W, C), without a copy where x is channels-last."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)
