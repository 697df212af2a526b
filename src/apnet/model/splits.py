"""How a level splits a map into parts and merges what was computed of them (Eq. 2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from apnet.errors import ConfigError, located
from apnet.naming import look_up

Size = tuple[int, ...]
"""Lengths of a map behind its channels: H and W."""


@dataclass(frozen=True)
class Split:
    """A cut of a map along one axis, or along two into a grid.

    Attributes:
        name: how it is asked for.
        axes: the axes of (N, C, ...) that are cut; negative ones count from the end.
        words: what is counted along each, for messages.
    """

    name: str
    axes: tuple[int, ...]
    words: tuple[str, ...]

    def counts(self, parts: int) -> tuple[int, ...]:
        """Returns the number of pieces along each axis; their product is ``parts``.

        A grid is as square as its number of parts allows, with at least as many rows as columns.
        """
        if len(self.axes) == 1:
            return (parts,)
        columns = max(n for n in range(1, math.isqrt(parts) + 1) if parts % n == 0)
        return parts // columns, columns

    def piece_shape(self, channels: int, size: Size | None, parts: int) -> tuple[int, Size | None]:
        """Returns channels and size of each of ``parts`` pieces.

        Args:
            channels: C of the map.
            size: of the map; ``None`` where it is not known.
            parts: number of pieces.

        Raises:
            ConfigError: no part, or the parts do not divide an axis of known length.
        """
        if parts < 1:
            raise ConfigError(f"cannot be split into {parts} parts; give at least 1")
        lengths = [1, channels, *(size or ())]
        for axis, count, words in zip(self.axes, self.counts(parts), self.words, strict=True):
            if size is None and axis != 1:
                continue
            check_divides(count, lengths[axis], words, parts)
            lengths[axis] //= count
        return lengths[1], tuple(lengths[2:]) if size is not None else None

    def pieces(self, x: Tensor, parts: int) -> list[Tensor]:
        """Cuts (N, C, ...) into ``parts`` pieces, row by row of a grid.

        Raises:
            ConfigError: the parts do not divide an axis.
        """
        found = [x]
        for axis, count, words in zip(self.axes, self.counts(parts), self.words, strict=True):
            if count == 1:
                continue
            check_divides(count, x.shape[axis], words, parts)
            found = [piece for each in found for piece in each.chunk(count, dim=axis)]
        return found

    def merge(self, pieces: Sequence[Tensor], parts: int) -> Tensor:
        """Concatenates pieces in the order of ``pieces``; a single one is returned as it is."""
        if len(self.axes) == 1:
            return torch.cat(list(pieces), dim=self.axes[0]) if parts > 1 else pieces[0]
        merged = list(pieces)
        for axis, count in zip(reversed(self.axes), reversed(self.counts(parts)), strict=True):
            if count == 1:
                continue
            merged = [
                torch.cat(merged[start : start + count], dim=axis)
                for start in range(0, len(merged), count)
            ]
        return merged[0]


SPLITS: dict[str, Split] = {
    "channels": Split("channels", (1,), ("channels",)),
    "rows": Split("rows", (-2,), ("rows",)),
    "columns": Split("columns", (-1,), ("columns",)),
    "grid": Split("grid", (-2, -1), ("rows", "columns")),
}
"""Splits by name. Another axis, such as time in (N, C, T, H, W), is one more line."""


def split_named(name: str) -> Split:
    """Returns the split of this name.

    Raises:
        ConfigError: there is none.
    """
    return look_up("split", name, SPLITS)


def check_divides(count: int, length: int, words: str, parts: int) -> None:
    """Checks that an axis can be cut into equal pieces.

    Raises:
        ConfigError: it cannot.
    """
    if count < 1 or length % count:
        fitting = ", ".join(str(n) for n in range(1, min(length, 64) + 1) if length % n == 0)
        raise ConfigError(
            f"splits {length} {words} into {count if count > 0 else parts} parts, which does not "
            f"divide; parts that do: {fitting}"
        )


def check_parts(parts: Sequence[int], length: int, words: str) -> None:
    """Checks that every level's parts divide the axis that is split.

    Args:
        parts: parts per level, coarse to fine.
        length: channels or rows.
        words: what ``length`` counts, for the message.

    Raises:
        ConfigError: there is no level, or one of them does not divide.
    """
    if not parts:
        raise ConfigError(
            "a pyramid needs at least one level, got parts=(); give parts such as (1, 2)"
        )
    for level, count in enumerate(parts, start=1):
        with located(f"level {level} of the pyramid"):
            check_divides(count, length, words, count)
