"""The relations of spatial attention between all pairs of nodes, without the matrix of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from apnet.devices import without_autocast
from apnet.model.fast.channels_last import being_captured


def relate(theta: Tensor, phi: Tensor, weight: Tensor) -> Tensor:
    """Applies a 1x1 convolution to the pairwise relations without ever forming them.

    With ``G = theta^T phi`` the relations out of and into each node, RGA convolves their stack:
    ``[W_in, W_out] [G^T; G]``. Nothing nonlinear lies between, so this equals
    ``(W_in phi^T) theta + (W_out theta^T) phi``: no M x M matrix is computed or stored.

    Args:
        theta: (N, C', M) embedded nodes.
        phi: (N, C', M) embedded nodes.
        weight: (K, 2M), the convolution's ``[W_in, W_out]``.

    Returns:
        (N, K, M), in the type of ``theta``.

    Example:
        >>> theta, phi = torch.ones(1, 2, 3), torch.ones(1, 2, 3)
        >>> relate(theta, phi, torch.ones(1, 6)).tolist()  # six relations, each 2
        [[[12.0, 12.0, 12.0]]]
    """
    weight = weight.to(theta.dtype)
    if being_captured() or not torch.is_grad_enabled():
        return _related(theta, phi, *_summaries(theta, phi, weight))
    related: Tensor = _Relate.apply(theta, phi, weight)
    return related


def _summaries(theta: Tensor, phi: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Returns ``phi W_in^T`` and ``theta W_out^T``, (N, C', K) each."""
    weight_in, weight_out = weight.chunk(2, dim=1)  # (K, 2M) -> 2 x (K, M)
    received = (weight_in @ phi.transpose(1, 2)).transpose(1, 2)  # (K, M) @ (N, M, C')
    sent = (weight_out @ theta.transpose(1, 2)).transpose(1, 2)
    return received, sent


def _related(theta: Tensor, phi: Tensor, received: Tensor, sent: Tensor) -> Tensor:
    """By rows of nodes, so that a channels-last map comes out of channels-last embeddings."""
    theta_rows, phi_rows = theta.transpose(1, 2), phi.transpose(1, 2)  # (N, M, C') each
    rows = torch.baddbmm(theta_rows @ received, phi_rows, sent)  # (N, M, K)
    return rows.transpose(1, 2)


class _Relate(torch.autograd.Function):
    """``relate``, keeping no copies of its inputs for the backward pass."""

    @staticmethod
    def forward(ctx: Any, theta: Tensor, phi: Tensor, weight: Tensor) -> Tensor:
        with without_autocast(theta.device):
            received, sent = _summaries(theta, phi, weight)
            ctx.save_for_backward(theta, phi, weight, received, sent)
            return _related(theta, phi, received, sent)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        theta, phi, weight, received, sent = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody wants second derivatives
            received, sent = _summaries(theta, phi, weight)
        weight_in, weight_out = weight.chunk(2, dim=1)
        rows = gradients[0].transpose(1, 2)  # (N, M, K)
        of_received, of_sent = theta @ rows, phi @ rows  # (N, C', K) each
        of_theta = _back_to_nodes(rows, received, weight_out, of_sent)
        of_phi = _back_to_nodes(rows, sent, weight_in, of_received)
        of_weight = torch.cat((_outer(of_received, phi), _outer(of_sent, theta)), dim=1)
        return of_theta, of_phi, of_weight


def _back_to_nodes(rows: Tensor, summary: Tensor, weight: Tensor, of_summary: Tensor) -> Tensor:
    """(N, C', M): what reaches nodes as factors of their relations and through the summary."""
    through = weight.t() @ of_summary.transpose(1, 2)  # (M, K) @ (N, K, C')
    return torch.baddbmm(through, rows, summary.transpose(1, 2)).transpose(1, 2)


def _outer(summary: Tensor, nodes: Tensor) -> Tensor:
    """Sums (C', K)^T @ (C', M) over images, as one product: (K, M)."""
    return summary.flatten(0, 1).t() @ nodes.flatten(0, 1)
