"""The attention pyramid: split, attend, merge, stack (section III-A, Eq. 1-3)."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from apnet.errors import ConfigError
from apnet.model.attention import ChannelAttention, SpatialAttention
from apnet.model.fast.channels_last import pool, scale


class AttentionPyramid(nn.Module):
    """Reweights a map level by level, coarse to fine: ``X_i = sigmoid(A_i) * X_{i-1}`` (Eq. 3).

    ``forward`` multiplies the map once, whatever the depth. A channel gate is constant over space,
    so the pooled vector of ``X_i`` is the gate times that of ``X_{i-1}``: one pooling serves all
    levels. ``levels`` computes the same literally.

    Args:
        channels: C of the maps.
        parts: parts per level, coarse to fine; ``radix^(i-1)`` at level i in the paper.
        attention: ``channel`` splits C (Eq. 5), ``spatial`` splits H (Eq. 4).
        size: H and W of the maps in map pixels; needed by ``spatial`` only.
        reduction: of a channel sub-attention, see ``ChannelAttention``.

    Raises:
        ConfigError: a level's parts do not divide the channels or rows, or the size is missing.
    """

    def __init__(
        self,
        channels: int,
        parts: Sequence[int] = (1, 2),
        attention: Literal["channel", "spatial"] = "channel",
        size: tuple[int, int] | None = None,
        reduction: int = 16,
    ) -> None:
        super().__init__()
        self.parts = tuple(parts)
        self.attention = attention
        if attention == "channel":
            check_parts(self.parts, channels, "channels")
            attends = [ChannelAttention(channels, count, reduction) for count in self.parts]
            self.attends = nn.ModuleList(attends)
        elif attention == "spatial":
            rows, columns = _required(size)
            check_parts(self.parts, rows, "rows")
            sizes = [(rows // count, columns) for count in self.parts]
            self.attends = nn.ModuleList(
                _SplitRows(channels, count, part)
                for count, part in zip(self.parts, sizes, strict=True)
            )
        else:
            raise ConfigError(f"a pyramid's attention is 'channel' or 'spatial', got {attention!r}")

    def forward(self, x: Tensor) -> Tensor:
        """Maps X_0 to the last X_i; (N, C, H, W) float to the same shape."""
        return scale(x, functools.reduce(torch.mul, self.gates(x)))

    def gates(self, x: Tensor) -> list[Tensor]:
        """Returns ``sigmoid(A_i)`` of every level, coarse to fine, between 0 and 1.

        Args:
            x: (N, C, H, W).

        Returns:
            A list of (N, C, 1, 1) for channel attention, of (N, 1, H, W) for spatial attention.
        """
        return self._gates(self._view(x))

    def levels(self, x: Tensor) -> list[Tensor]:
        """Returns X_0, X_1, ..., each computed from the one before it as Eq. 1-3 are written.

        Unlike in ``forward`` every X_i is part of the graph, so gradients at it can be asked for.

        Args:
            x: (N, C, H, W), X_0.

        Returns:
            One map of x's shape for each level, after x itself.
        """
        maps = [x]
        for attend in self.attends:  # coarse -> fine
            logits = attend(self._view(maps[-1]))  # split, attend, merge, Eq. 2
            maps.append(scale(maps[-1], self._over_map(torch.sigmoid(logits))))  # stack, Eq. 3
        return maps

    def _gates(self, view: Tensor) -> list[Tensor]:
        if self.attention == "spatial":
            return self._spatial_gates(view)
        gates: list[Tensor] = []
        for attend in self.attends:
            if gates:
                view = view * gates[-1]
            gates.append(torch.sigmoid(attend(view)))
        return [self._over_map(gate) for gate in gates]

    def _spatial_gates(self, x: Tensor) -> list[Tensor]:
        """The gates before a level reach its logits without being multiplied with the map."""
        gates: list[Tensor] = []
        for attend in self.attends:
            before = functools.reduce(torch.mul, gates) if gates else None
            gates.append(torch.sigmoid(attend(x, before)))
        return gates

    def _view(self, x: Tensor) -> Tensor:
        """Returns what the attentions look at: pooled channels (N, C), or the map itself."""
        return pool(x) if self.attention == "channel" else x

    def _over_map(self, gate: Tensor) -> Tensor:
        if self.attention == "channel":
            return gate[:, :, None, None]  # (N, C) -> (N, C, 1, 1)
        return gate


class _SplitRows(nn.Module):
    """One level of the spatial pyramid: a sub-attention for each of n bands of rows (Eq. 2)."""

    def __init__(self, channels: int, parts: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.attends = nn.ModuleList(SpatialAttention(channels, size) for _ in range(parts))

    def forward(self, x: Tensor, before: Tensor | None = None) -> Tensor:
        """Returns the logits of ``before * x``, (N, 1, H, W), without computing that map."""
        pieces = x.chunk(len(self.attends), dim=2)  # split: (N, C, H, W) -> n x (N, C, H/n, W)
        projected = [a.project(piece) for a, piece in zip(self._attends(), pieces, strict=True)]
        if before is not None:  # a 1x1 convolution lets a gate of the nodes pass
            bands = before.chunk(len(self.attends), dim=2)
            projected = [scale(each, band) for each, band in zip(projected, bands, strict=True)]
        logits = [a.attend(each) for a, each in zip(self._attends(), projected, strict=True)]
        return torch.cat(logits, dim=2)  # merge: n x (N, 1, H/n, W) -> (N, 1, H, W)

    def _attends(self) -> list[SpatialAttention]:
        return [attend for attend in self.attends if isinstance(attend, SpatialAttention)]


def check_parts(parts: Sequence[int], length: int, axis: str) -> None:
    """Checks that every level's parts divide the axis that is split.

    Args:
        parts: parts per level, coarse to fine.
        length: channels or rows.
        axis: what ``length`` counts, for the message.

    Raises:
        ConfigError: there is no level, or one of them does not divide.
    """
    if not parts:
        raise ConfigError("a pyramid needs at least one level, got parts=()")
    for level, count in enumerate(parts, start=1):
        if count < 1 or length % count:
            fitting = ", ".join(str(n) for n in range(1, min(length, 64) + 1) if length % n == 0)
            raise ConfigError(
                f"level {level} of the pyramid splits {length} {axis} into {count} parts, which "
                f"does not divide; parts that do: {fitting}"
            )


@contextlib.contextmanager
def located(place: str) -> Iterator[None]:
    """Puts the place in a network in front of a ``ConfigError`` raised inside the context."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None


def _required(size: tuple[int, int] | None) -> tuple[int, int]:
    if size is None:
        raise ConfigError("a spatial pyramid needs the height and width of its maps as 'size'")
    return size
