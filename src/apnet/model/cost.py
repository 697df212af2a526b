"""What a network costs: multiply-adds in two ways of counting, and parameters (Table III)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from apnet.display import summarised
from apnet.model.shapes import evaluating

_FLOPS = 2
"""Operations that torch's counter counts for one multiply-add."""


@summarised
@dataclass(frozen=True, repr=False)
class Cost:
    """The cost of one image in evaluation mode.

    Attributes:
        multiply_adds: of convolutions, linear layers and matrix products, the spatial attention's
            included.
        paper_multiply_adds: those, and two for each element that a batch norm writes, one for each
            that an average pooling reads and one for each that a gate scales: what the counter
            behind Table III counts, and the pyramid's own work on the maps.
        parameters: all weights of the network, frozen ones included.
    """

    multiply_adds: int
    paper_multiply_adds: int
    parameters: int


def network_cost(network: nn.Module, size: tuple[int, int] = (224, 224)) -> Cost:
    """Counts one forward pass of one image; nothing is computed and nothing changed.

    Args:
        network: takes (N, 3, H, W).
        size: H and W in pixels; the paper counts at 224x224.
    """
    aten = torch.ops.aten
    elementwise = {
        aten.native_batch_norm: _per_element(2, _written),
        aten._native_batch_norm_legit_no_training: _per_element(2, _written),
        aten.mean: _per_element(1, _read),
        aten._adaptive_avg_pool2d: _per_element(1, _read),
        aten.avg_pool2d: _per_element(1, _read),
        aten.mul: _per_element(1, _written),
    }
    return Cost(
        multiply_adds=_count(network, size, {}),
        paper_multiply_adds=_count(network, size, elementwise),
        parameters=sum(weight.numel() for weight in network.parameters()),
    )


def _count(network: nn.Module, size: tuple[int, int], further: dict[Any, Any]) -> int:
    """Runs the network on tensors that have shapes but no values."""
    from torch.utils.flop_counter import FlopCounterMode  # imports Triton, which takes a while

    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    shapes_only = {name: tensor.to("meta") for name, tensor in tensors.items()}
    image = torch.zeros(1, 3, *size, device="meta", dtype=next(network.parameters()).dtype)
    counter = FlopCounterMode(display=False, custom_mapping=further)
    with evaluating(network), torch.no_grad(), counter:
        torch.func.functional_call(network, shapes_only, (image,))
    return int(counter.get_total_flops()) // _FLOPS


def _per_element(multiply_adds: int, elements: Callable[..., int]) -> Callable[..., int]:
    def flops(*shapes: Any, out_shape: Any = None, **_: Any) -> int:
        return _FLOPS * multiply_adds * elements(shapes, out_shape)

    return flops


def _read(inputs: Any, _output: Any) -> int:
    return math.prod(inputs[0])


def _written(_inputs: Any, output: Any) -> int:
    first = output[0] if isinstance(output[0], tuple | list | torch.Size) else output
    return math.prod(first)
