"""Looking at a network without leaving a trace: evaluation mode for a while, a run on zeros."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from apnet.errors import ConfigError

Shape = tuple[int, ...]


@contextlib.contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Puts a network into evaluation mode; afterwards every module has the mode it had."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def shapes_on_zeros(network: nn.Module, image_size: tuple[int, int]) -> dict[str, Shape | None]:
    """Runs a network once on one image of zeros; modes, buffers and random state stay as they are.

    Args:
        network: takes (N, 3, H, W).
        image_size: H and W in pixels.

    Returns:
        For every submodule that ran its output's shape, ``None`` where that is no tensor; the
        network itself under ``""``.

    Raises:
        ConfigError: the network does not run on such an image.
    """
    shapes: dict[str, Shape | None] = {}
    hooks = [
        module.register_forward_hook(_noting(shapes, name))
        for name, module in network.named_modules()
    ]
    like = next(network.parameters(), torch.zeros(0))
    image = torch.zeros(1, 3, *image_size, device=like.device, dtype=like.dtype)
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    devices = [like.device] if like.device.type == "cuda" else []
    try:
        with evaluating(network), torch.no_grad(), torch.random.fork_rng(devices):
            torch.func.functional_call(network, buffers, (image,))
    except Exception as error:  # whatever somebody's network raises
        raise ConfigError(
            f"the network does not run on an image of {image_size[0]}x{image_size[1]} pixels: "
            f"{error}; choose another image_size or backbone"
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
    return shapes


def _noting(shapes: dict[str, Shape | None], name: str) -> Any:
    def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
        shapes[name] = tuple(output.shape) if isinstance(output, Tensor) else None

    return note
