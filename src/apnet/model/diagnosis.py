"""Finding the module of a network whose output is not finite."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from apnet.model.levels import PartsLevel
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
        outputs = output if isinstance(output, tuple | list) else (output,)
        tensors = [each for each in outputs if isinstance(each, Tensor)]
        if not found and any(not torch.isfinite(each).all() for each in tensors):
            found.append(_place(network, names[module]))

    hooks = [
        module.register_forward_hook(look)
        for module in network.modules()
        if not any(True for _ in module.children())
    ]
    try:
        with evaluating(network), torch.no_grad():
            network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else None


def _place(network: nn.Module, name: str) -> str:
    """Returns ``after STAGE, level L, part P (NAME)`` of a module inside a pyramid, or its name."""
    path = name.split(".")
    if "pyramid" not in path:
        return name
    at = path.index("pyramid")
    stage = network.get_submodule(".".join(path[:at]))
    label = stage.name if isinstance(stage, Stage) else path[at - 1]
    place = f"after {label}, level {int(path[at + 2]) + 1}"
    level = network.get_submodule(".".join(path[: at + 3]))
    if isinstance(level, PartsLevel) and len(path) > at + 4:
        place += f", part {int(path[at + 4]) + 1} of {len(level.attends)}"
    return f"{place} ({name})"
