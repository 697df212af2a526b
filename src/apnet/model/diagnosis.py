"""Finding the module of a network whose output is not finite."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from apnet.model.levels import PartsLevel
from apnet.model.pyramid import AttentionPyramid
from apnet.model.shapes import evaluating
from apnet.model.stages import Stage


def first_not_finite(network: nn.Module, images: Tensor) -> str | None:
    """Returns the first module that returns NaN or infinity for images, ``None`` if none does.

    A sub-attention is named by stage, level and part.

    Args:
        network: is run once in evaluation mode, without gradients.
        images: (N, 3, H, W), on the network's device.
    """
    found: list[str] = []
    names = {module: name for name, module in network.named_modules()}

    def look(module: nn.Module, _inputs: Any, output: Any) -> None:
        if not found and not _is_finite(output):
            found.append(_place(network, names[module]))

    def look_inside(stage: Stage) -> Any:
        def look(pyramid: nn.Module, inputs: Any, output: Any) -> None:
            if not found and not _is_finite(output):
                place = _level(stage, pyramid, inputs[0])
                found.append(f"{place} ({names[pyramid]})" if place else names[stage.body])

        return look

    hooks = [
        module.register_forward_hook(look)
        for module in network.modules()
        if not any(True for _ in module.children())
    ]
    # Levels that compute their sub-attentions together do not call these modules.
    hooks += [
        module.pyramid.register_forward_hook(look_inside(module))
        for module in network.modules()
        if isinstance(module, Stage) and module.pyramid is not None
    ]
    try:
        with evaluating(network), torch.no_grad():
            network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else None


def _is_finite(output: Any) -> bool:
    outputs = output if isinstance(output, tuple | list) else (output,)
    return all(bool(torch.isfinite(each).all()) for each in outputs if isinstance(each, Tensor))


def _level(stage: Stage, pyramid: Any, x: Tensor) -> str | None:
    """Returns ``after STAGE, level L, part P of N`` of a pyramid's first map that is not finite.

    ``None`` where its input is not finite.
    """
    maps = pyramid.levels(x)
    last = len(maps) - 1
    number = next((number for number, each in enumerate(maps) if not _is_finite(each)), last)
    if number == 0:
        return None
    place = f"after {stage.name}, level {number}"
    if isinstance(pyramid, AttentionPyramid):
        pieces = pyramid.pieces(number - 1, maps[number])
        parts = [part for part, each in enumerate(pieces, start=1) if not _is_finite(each)]
        place += "".join(f", part {part} of {len(pieces)}" for part in parts[:1])
    return place


def _place(network: nn.Module, name: str) -> str:
    """Returns ``after STAGE, level L, part P (NAME)`` of a module inside a pyramid, or its name."""
    path = name.split(".")
    if "pyramid" not in path or not "".join(path[path.index("pyramid") + 2 :][:1]).isdigit():
        return name
    at = path.index("pyramid")
    stage = network.get_submodule(".".join(path[:at]))
    label = stage.name if isinstance(stage, Stage) else path[at - 1]
    place = f"after {label}, level {int(path[at + 2]) + 1}"
    level = network.get_submodule(".".join(path[: at + 3]))
    if isinstance(level, PartsLevel) and len(path) > at + 4:
        place += f", part {int(path[at + 4]) + 1} of {len(level.attends)}"
    return f"{place} ({name})"
