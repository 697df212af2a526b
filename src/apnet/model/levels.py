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

    def _merged(self, results: Sequence[Any], pieces: Sequence[Tensor]) -> Tensor:
        for part, (result, piece) in enumerate(zip(results, pieces, strict=True), start=1):
            problem = _problem(result, piece, self._returns)
            if problem:
                raise ConfigError(f"part {part} of {len(pieces)}: the attention returned {problem}")
        if self._returns == "logits":
            results = self._over_pieces(results, pieces[0])
        return self._split.merge(results, len(pieces))

    def _over_pieces(self, results: Sequence[Tensor], piece: Tensor) -> list[Tensor]:
        """Expands logits to their piece's lengths along the split, and to one shape elsewhere."""
        logits = [_with_dimensions(each, piece.ndim) for each in results]
        if len(logits) == 1:
            return logits
        shapes = [each.shape for each in logits]
        alike = all(shape == shapes[0] for shape in shapes)
        target = list(shapes[0]) if alike else [max(axis) for axis in zip(*shapes, strict=True)]
        for axis in self._split.axes:
            target[axis] = piece.shape[axis]
        if alike and target == list(shapes[0]):
            return logits
        return [each.expand(target) for each in logits]

    def _all(self, attribute: str) -> bool:
        return all(getattr(attend, attribute, False) is True for attend in self.attends)

    def _attends(self) -> list[Any]:
        return list(self.attends)


def _problem(result: Any, piece: Tensor, returns: Returns) -> str | None:
    """Returns what is wrong with a sub-attention's result for its piece, or ``None``.

    Every part of every pass comes here, so messages are written only where something is wrong.
    """
    if not isinstance(result, Tensor):
        return f"a {type(result).__name__}, not {_wanted(piece, returns)}"
    if result.device != piece.device:
        return f"a tensor on {result.device}, its piece is on {piece.device}"
    if not result.is_floating_point() or result.itemsize > max(piece.itemsize, 4):
        return (
            f"{result.dtype} for a piece of {piece.dtype}; return floating-point numbers of the "
            "piece's type"
        )
    shape, full = result.shape, piece.shape
    if shape != full and (returns == "map" or not _broadcasts(shape, full)):
        return f"{tuple(shape)}, not {_wanted(piece, returns)}"
    return None


def _wanted(piece: Tensor, returns: Returns) -> str:
    kind = "a map of" if returns == "map" else "logits that broadcast over"
    return f"{kind} {tuple(piece.shape)}"


def _broadcasts(shape: Sequence[int], full: Sequence[int]) -> bool:
    """Whether a tensor of one shape broadcasts over another without enlarging it."""
    missing = len(full) - len(shape)
    return missing >= 0 and all(
        length in (1, most) for length, most in zip(shape, full[missing:], strict=True)
    )


def _with_dimensions(x: Tensor, count: int) -> Tensor:
    return x if x.ndim == count else x.reshape(*[1] * (count - x.ndim), *x.shape)


def gate_of(logits: Tensor, start: Start) -> Tensor:
    """Returns the gate of a level: ``sigmoid(logits)``, twice that where gates start at one."""
    gate = torch.sigmoid(logits)
    return 2 * gate if start == "one" else gate
