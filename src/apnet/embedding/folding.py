"""Rewrites of a captured graph that make it faster and leave its results equal up to rounding."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from apnet.model.fast import channels_last


def fold(module: Any) -> nn.Module:
    """Returns the graph with constants computed and batch norms folded into convolutions.

    Maps are pooled and scaled by ``model.fast.channels_last``, whose fast paths are not captured.
    The results are equal up to rounding.

    Args:
        module: from ``ExportedProgram.module``; it is changed in place.
    """
    _compute_constants(module)
    _fold_norms(module)
    _pass_fewer_times(module)
    for part in module.modules():
        if isinstance(part, torch.fx.GraphModule):
            _allow_autocast(part)
    folded: nn.Module = module
    return folded


def _fold_norms(module: Any) -> None:
    """Folds each batch norm that is the only user of a convolution's output into it."""
    aten = torch.ops.aten
    for norm in list(module.graph.nodes):
        if norm.target != aten.batch_norm.default:
            continue
        conv = norm.args[0]
        if conv.target != aten.conv2d.default or len(conv.users) > 1:
            continue
        bias = conv.args[2] if len(conv.args) > 2 else None
        gain, offset, mean, variance = (_value(module, node) for node in norm.args[1:5])
        weight, shift = fuse_conv_bn_weights(
            _value(module, conv.args[1]),
            None if bias is None else _value(module, bias),
            mean,
            variance,
            norm.args[7],
            gain,
            offset,
        )
        nodes = []
        with module.graph.inserting_before(conv):
            for kind, value in (("weight", weight), ("bias", shift)):
                nodes.append(_constant(module, f"folded_{conv.name}_{kind}", value))
        conv.args = (conv.args[0], *nodes, *conv.args[3:])
        norm.replace_all_uses_with(conv)
        module.graph.erase_node(norm)


def _pass_fewer_times(module: Any) -> None:
    """Replaces means over space and products with a gate by ``channels_last.pool`` and ``scale``.

    Under autocast, torch would average a bf16 map through a float32 copy, and the product of a
    bf16 map with a float32 gate would be a float32 map.
    """
    aten = torch.ops.aten
    for node in module.graph.nodes:
        if node.target == aten.mean.dim and list(node.args[1]) == [2, 3] and len(node.args) == 2:
            node.target, node.args = channels_last.pool, node.args[:1]
        elif node.target == aten.mul.Tensor:
            shapes = [arg.meta["val"].shape for arg in node.args if isinstance(arg, torch.fx.Node)]
            if len(shapes) == 2 and len(shapes[0]) == len(shapes[1]) == 4 and _gates(*shapes):
                node.target = channels_last.scale


def _gates(shape: torch.Size, gate: torch.Size) -> bool:
    """Whether the second shape is constant over the first's channels or over its positions."""
    return gate[2:] == (1, 1) != shape[2:] or gate[1] == 1 != shape[1]


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
    """Registers a tensor and returns a node for it, at the graph's current insertion point."""
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
