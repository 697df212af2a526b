"""A stage of a backbone with its pyramid, and the layouts in which backbones hand on their maps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from apnet.errors import ConfigError


@dataclass(frozen=True)
class MapLayout:
    """How a module lays out its map.

    Attributes:
        kind: ``NCHW``, ``NHWC``, or ``NLC``: tokens row by row, behind ``prefix`` that are no map.
        prefix: class and register tokens in front.
        grid: rows and columns of the tokens.
    """

    kind: Literal["NCHW", "NHWC", "NLC"] = "NCHW"
    prefix: int = 0
    grid: tuple[int, int] = (0, 0)

    def to_map(self, x: Tensor) -> Tensor:
        """Returns the map in x as (N, C, H, W)."""
        if self.kind == "NHWC":
            return x.permute(0, 3, 1, 2)  # (N, H, W, C) -> (N, C, H, W)
        if self.kind == "NLC":
            tokens = x[:, self.prefix :].transpose(1, 2)  # (N, P + H*W, C) -> (N, C, H*W)
            return tokens.reshape(*tokens.shape[:2], *self.grid)  # (N, C, H*W) -> (N, C, H, W)
        return x

    def put_map(self, x: Tensor, changed: Tensor) -> Tensor:
        """Returns x with its map replaced by ``changed``, (N, C, H, W)."""
        if self.kind == "NHWC":
            return changed.permute(0, 2, 3, 1)  # (N, C, H, W) -> (N, H, W, C)
        if self.kind == "NLC":
            tokens = changed.flatten(2).transpose(1, 2)  # (N, C, H, W) -> (N, H*W, C)
            return torch.cat((x[:, : self.prefix], tokens), dim=1)  # (N, P + H*W, C)
        return changed

    def dimensions(self, shape: Sequence[int]) -> tuple[int, int, int]:
        """Returns C, H and W of an output of this shape."""
        if self.kind == "NHWC":
            return shape[3], shape[1], shape[2]
        if self.kind == "NLC":
            return shape[2], *self.grid
        return shape[1], shape[2], shape[3]


NCHW = MapLayout()


class Stage(nn.Module):
    """A module whose map passes through a pyramid before the next module gets it (section III-A).

    Args:
        name: what the stage is called in its network.
        body: the module.
        channels: C of its map.
        stride: image pixels per map pixel, rounded.
        layout: of its output.
    """

    def __init__(
        self, name: str, body: nn.Module, channels: int, stride: int, layout: MapLayout = NCHW
    ) -> None:
        super().__init__()
        self.name = name
        self.channels = channels
        self.stride = stride
        self.layout = layout
        self.body = body
        self.pyramid: nn.Module | None = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the body's output, its map reweighted where there is a pyramid.

        Raises:
            ConfigError: a sub-attention returned something else than it should; the message names
                the stage, the level and the part.
        """
        output = self.body(*args, **kwargs)
        if self.pyramid is None:
            return output
        try:
            reweighted = self.pyramid(self.layout.to_map(output))
        except ConfigError as error:
            raise ConfigError(f"after {self.name}: {error}") from None
        return self.layout.put_map(output, reweighted)


@contextlib.contextmanager
def recorded_levels(stages: Sequence[Stage]) -> Iterator[list[list[Tensor]]]:
    """Records every pyramid level X_i of a forward pass made inside the context.

    The pass uses ``levels`` in place of the faster ``forward``, so each X_i is part of the graph:
    the network's output depends on it and gradients at it are those of Eq. 1-3. Meant for networks
    in evaluation mode: in training mode batch norms inside a pyramid would count the batch twice.

    Args:
        stages: those to record; a stage without a pyramid gives X_0 alone.

    Yields:
        A list that receives, in the order in which the stages run, one list of (N, C, H, W) maps.
    """
    record: list[list[Tensor]] = []

    def note_levels(pyramid: Any, inputs: tuple[Tensor], _output: Tensor) -> Tensor:
        record.append(pyramid.levels(inputs[0]))
        return record[-1][-1]

    def note_body(layout: MapLayout) -> Any:
        def note(_body: nn.Module, _inputs: Any, output: Tensor) -> None:
            record.append([layout.to_map(output)])

        return note

    hooks = [
        stage.body.register_forward_hook(note_body(stage.layout))
        if stage.pyramid is None
        else stage.pyramid.register_forward_hook(note_levels)
        for stage in stages
    ]
    try:
        yield record
    finally:
        for hook in hooks:
            hook.remove()
