"""What computes features: one small interface, and PyTorch's own ways."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from apnet.devices import Precision, autocast
from apnet.embedding.reference import with_mirror
from apnet.model import APNet

Arithmetic = Literal["float32", "bf16", "int8"]

BLOCK = 16
"""Images that a captured network takes at once."""


@dataclass(frozen=True)
class Backend:
    """A way to compute features.

    Attributes:
        name: ``eager``, ``folded``, ``compiled``, ``onnx`` or ``openvino``.
        precision: its arithmetic.
        run: (N, 3, H, W) float32 on the CPU, normalised, to (N, D) float32 on the CPU.
    """

    name: str
    precision: Arithmetic
    run: Callable[[Tensor], Tensor]

    def __str__(self) -> str:
        return f"{self.name} {self.precision}"

    def embed(self, images: Tensor, *, flip: bool) -> Tensor:
        """Returns L2-normalised features, (N, D), as ``embed_images`` does."""
        return with_mirror(self.run, images, flip)


class Embedding(nn.Module):
    """A network whose forward pass is ``embed``, for exporters."""

    def __init__(self, network: APNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 3, H, W) to (N, D)."""
        return self.network.embed(images)


def eager_backend(network: APNet, device: torch.device, precision: Precision) -> Backend:
    """Returns the network as it is, in evaluation mode, channels last.

    Args:
        network: is moved to the device.
        device: where it runs.
        precision: its arithmetic.
    """
    network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Backend("eager", precision, _autocast(network.embed, device, precision))


def folded_backend(network: APNet, image_size: tuple[int, int], precision: Precision) -> Backend:
    """Returns the network with every batch norm that follows a convolution folded into it.

    Args:
        network: in evaluation mode, on the CPU; it is not changed.
        image_size: H and W in pixels.
        precision: its arithmetic.
    """
    module = fold(exported(network, image_size).module())
    run = _autocast(module, torch.device("cpu"), precision)
    return Backend("folded", precision, in_blocks(run))


def compiled_backend(network: APNet, image_size: tuple[int, int], precision: Precision) -> Backend:
    """Returns the folded network compiled by ``torch.compile``; its first batch takes a minute.

    Args:
        network: in evaluation mode, on the CPU; it is not changed.
        image_size: H and W in pixels.
        precision: its arithmetic.
    """
    module = torch.compile(fold(exported(network, image_size).module()), dynamic=False)
    run = _autocast(module, torch.device("cpu"), precision)
    return Backend("compiled", precision, in_blocks(run))


def exported(network: APNet, image_size: tuple[int, int]) -> torch.export.ExportedProgram:
    """Captures ``embed`` as a graph for ``BLOCK`` images.

    The size is fixed as not every backbone can be captured for any number of images.

    Args:
        network: in evaluation mode, on the CPU.
        image_size: H and W in pixels.
    """
    plain = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    with torch.no_grad():
        return torch.export.export(Embedding(plain).eval(), (torch.zeros(BLOCK, 3, *image_size),))


def in_blocks(run: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Lets a function of exactly ``BLOCK`` images take any number; zeros fill the last block."""

    def padded(block: Tensor) -> Tensor:
        missing = BLOCK - len(block)
        if not missing:
            return run(block)
        return run(torch.cat((block, block.new_zeros((missing, *block.shape[1:])))))[: len(block)]

    return lambda images: torch.cat([padded(block) for block in torch.split(images, BLOCK)])


def fold(module: Any) -> nn.Module:
    """Folds batch norms into the convolutions before them, in a captured graph.

    Only where nothing else uses the convolution's output. Exact but for rounding. What is made of
    weights alone, such as several convolutions' joined weights, is computed once before.

    Args:
        module: from ``ExportedProgram.module``; it is changed.
    """
    _compute_constants(module)
    aten = torch.ops.aten
    for norm in list(module.graph.nodes):
        if norm.target != aten.batch_norm.default:
            continue
        conv = norm.args[0]
        if conv.target != aten.conv2d.default or len(conv.users) > 1:
            continue
        bias = conv.args[2] if len(conv.args) > 2 else None
        scale, offset, mean, variance = (_value(module, node) for node in norm.args[1:5])
        weight, shift = fuse_conv_bn_weights(
            _value(module, conv.args[1]),
            None if bias is None else _value(module, bias),
            mean,
            variance,
            norm.args[7],
            scale,
            offset,
        )
        nodes = []
        with module.graph.inserting_before(conv):
            for kind, value in (("weight", weight), ("bias", shift)):
                nodes.append(_constant(module, f"folded_{conv.name}_{kind}", value))
        conv.args = (conv.args[0], *nodes, *conv.args[3:])
        norm.replace_all_uses_with(conv)
        module.graph.erase_node(norm)
    for part in module.modules():
        if isinstance(part, torch.fx.GraphModule):
            _allow_autocast(part)
    folded: nn.Module = module
    return folded


def _compute_constants(module: Any) -> None:
    """Replaces operations on weights alone, such as stacking them, by their results."""
    known: dict[Any, Any] = {}
    for node in module.graph.nodes:
        if node.op == "get_attr":
            known[node] = _value(module, node)
        elif (
            node.op == "call_function"
            and node.all_input_nodes
            and known.keys() >= {*node.all_input_nodes}
        ):
            args, kwargs = torch.fx.map_arg((node.args, node.kwargs), known.__getitem__)
            with torch.no_grad():
                known[node] = node.target(*args, **kwargs)
    for node, value in known.items():
        if node.op != "get_attr" and isinstance(value, Tensor) and node.users.keys() - known.keys():
            with module.graph.inserting_before(node):
                node.replace_all_uses_with(_constant(module, f"constant_{node.name}", value))
    module.graph.eliminate_dead_code()


def _constant(module: Any, name: str, value: Tensor) -> Any:
    """Registers a tensor and returns a node for it, at the graph's present place."""
    layout = torch.channels_last if value.ndim == 4 else torch.contiguous_format
    module.register_buffer(name, value.detach().contiguous(memory_format=layout))
    return module.graph.get_attr(name)


def _allow_autocast(part: torch.fx.GraphModule) -> None:
    """Removes checks that every tensor has the type it had when the graph was captured."""
    for node in list(part.graph.nodes):
        if node.target == torch.ops.aten._assert_tensor_metadata.default:
            part.graph.erase_node(node)
    part.graph.eliminate_dead_code()
    part.recompile()


def _value(module: nn.Module, node: Any) -> Tensor:
    place, _, name = str(node.target).rpartition(".")
    value: Tensor = getattr(module.get_submodule(place), name)
    return value


def _autocast(
    embed: Callable[[Tensor], Tensor], device: torch.device, precision: Precision
) -> Callable[[Tensor], Tensor]:
    def run(images: Tensor) -> Tensor:
        images = images.to(device, memory_format=torch.channels_last)
        with torch.inference_mode(), autocast(precision, device):
            return embed(images).float().cpu()

    return run
