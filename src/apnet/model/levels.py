"""One pyramid level of any sub-attention: split, attend, merge (Eq. 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from apnet.errors import ConfigError
from apnet.model.fast.channels_last import scale
from apnet.model.gated_map import GatedMap
from apnet.model.splits import Split

Returns = Literal["logits", "map"]
Start = Literal["paper", "half", "one"]


class Level(Protocol):
    """What a pyramid needs of a level."""

    def attend_to(self, gated: GatedMap) -> Tensor:
        """Returns logits that broadcast over the map, or the reweighted map."""


class PartsLevel(nn.Module):
    """A level with one sub-attention for each part of the map.

    A sub-attention maps its piece (n, c, h, w) to logits of any shape that broadcasts over the
    piece, or, with ``returns = "map"``, to the reweighted piece. Two attributes of a sub-attention
    make a level cheap; without them the level is computed as Eq. 2 is written:

    * ``looks_at_average = True``: it needs the average over space only. With a split of channels it
      is given pieces (n, c, 1, 1), and the map is not read again.
    * ``projects_nodes = True``: it is ``attend(project(piece))``, and ``project`` is linear at each
      node. Gates that are constant over channels are multiplied into the projection.

    Args:
        attends: the sub-attentions, in the order of the parts.
        split: how the map is cut.
        returns: what the sub-attentions return.
    """

    def __init__(self, attends: Sequence[nn.Module], split: Split, returns: Returns) -> None:
        super().__init__()
        self.attends = nn.ModuleList(attends)
        self._split = split
        self._returns = returns
        over_channels = split.axes == (1,) and returns == "logits"
        self._of_average = over_channels and self._all("looks_at_average")
        self._of_nodes = 1 not in split.axes and self._all("projects_nodes")

    def attend_to(self, gated: GatedMap) -> Tensor:
        """Returns the merged logits of a map (N, C, ...), or the reweighted map itself.

        Raises:
            ConfigError: a sub-attention returns something else; the message names the part.
        """
        if self._of_nodes:
            return self._of_projections(*gated.apart())
        if self._of_average:
            average = gated.average()
            pieces = self._pieces(average.reshape(*average.shape, *[1] * gated.space))
        else:
            pieces = self._pieces(gated.map())
        results = [attend(piece) for attend, piece in zip(self.attends, pieces, strict=True)]
        return self._merged(results, pieces)

    def _of_projections(self, x: Tensor, gate: Tensor | None) -> Tensor:
        pieces, attends = self._pieces(x), self._attends()
        projected = [attend.project(piece) for attend, piece in zip(attends, pieces, strict=True)]
        if gate is not None:
            gates = self._pieces(gate.expand(-1, -1, *x.shape[2:]))  # (n, 1, 1, W) too
            projected = [scale(each, part) for each, part in zip(projected, gates, strict=True)]
        results = [attend.attend(each) for attend, each in zip(attends, projected, strict=True)]
        return self._merged(results, pieces)

    def _pieces(self, x: Tensor) -> list[Tensor]:
        return self._split.pieces(x, len(self.attends))

    def _merged(self, results: Sequence[Tensor], pieces: Sequence[Tensor]) -> Tensor:
        count = len(pieces)
        checked = [
            self._checked(result, piece, f"part {part} of {count}")
            for part, (result, piece) in enumerate(zip(results, pieces, strict=True), start=1)
        ]
        if self._returns == "logits":
            checked = self._over_pieces(checked, pieces)
        return self._split.merge(checked, count)

    def _checked(self, result: Any, piece: Tensor, place: str) -> Tensor:
        """Returns a sub-attention's result with as many dimensions as its piece."""
        wanted = f"logits that broadcast over {tuple(piece.shape)}"
        if self._returns == "map":
            wanted = f"a map of {tuple(piece.shape)}"
        if not isinstance(result, Tensor):
            raise ConfigError(
                f"{place}: the attention returned a {type(result).__name__}, not {wanted}"
            )
        if result.device != piece.device:
            raise ConfigError(
                f"{place}: the attention returned a tensor on {result.device}, its piece is on "
                f"{piece.device}"
            )
        if not result.is_floating_point() or result.itemsize > max(piece.itemsize, 4):
            raise ConfigError(
                f"{place}: the attention returned {result.dtype} for a piece of {piece.dtype}; "
                "return floating-point numbers of the piece's type"
            )
        missing = piece.ndim - result.ndim
        shape = (*[1] * missing, *result.shape)
        fits = missing >= 0 and all(
            length in (1, full) for length, full in zip(shape, piece.shape, strict=True)
        )
        if self._returns == "map":
            fits = result.shape == piece.shape
        if not fits:
            raise ConfigError(
                f"{place}: the attention returned {tuple(result.shape)}, not {wanted}"
            )
        return result.reshape(shape) if missing else result

    def _over_pieces(self, logits: list[Tensor], pieces: Sequence[Tensor]) -> list[Tensor]:
        """Expands logits to their pieces' lengths along the split, and to one shape elsewhere."""
        if len(logits) == 1:
            return logits
        shapes = [list(each.shape) for each in logits]
        lengths = [max(axis) for axis in zip(*shapes, strict=True)]
        expanded = []
        for each, piece in zip(logits, pieces, strict=True):
            target = list(lengths)
            for axis in self._split.axes:
                target[axis] = piece.shape[axis]
            expanded.append(each if list(each.shape) == target else each.expand(target))
        return expanded

    def _all(self, attribute: str) -> bool:
        return all(getattr(attend, attribute, False) is True for attend in self.attends)

    def _attends(self) -> list[Any]:
        return list(self.attends)


def gate_of(logits: Tensor, start: Start) -> Tensor:
    """Returns the gate of a level: ``sigmoid(logits)``, twice that where gates start at one."""
    gate = torch.sigmoid(logits)
    return 2 * gate if start == "one" else gate
