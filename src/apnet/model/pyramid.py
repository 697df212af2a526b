"""The attention pyramid: split, attend, merge, stack (section III-A, Eq. 1-3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from apnet.errors import ConfigError, located
from apnet.model.fast.channels_last import scale
from apnet.model.gated_map import GatedMap
from apnet.model.level_plan import Attention, plan_levels
from apnet.model.levels import Returns, Start, gate_of
from apnet.model.splits import Size, Split


class AttentionPyramid(nn.Module):
    """Reweights a map level by level, coarse to fine: ``X_i = sigmoid(A_i) * X_{i-1}`` (Eq. 3).

    A level splits the map into parts, applies a sub-attention to each, and concatenates their
    logits A_i. ``forward`` multiplies the gates into the map as late as it can (``GatedMap``): a
    channel or a spatial pyramid of any depth multiplies the map once. ``levels`` computes the same
    as Eq. 1-3 are written.

    Args:
        channels: C of the maps.
        parts: parts per level, coarse to fine; ``radix^(i-1)`` at level i in the paper.
        attention: a name in ``ATTENTIONS``; or a factory (channels, size) of a part ->
            ``nn.Module``, called once for each part; or a list with one of either for each level.
            A sub-attention maps its piece (n, c, h, w) to logits of any shape that broadcasts over
            the piece.
        size: H and W of the maps in map pixels; some attentions need it, such as ``spatial``.
        split: the axis that is cut: ``channels``, ``rows``, ``columns``, ``grid``, or a ``Split``;
            or one for each level. By default that of the attention's paper; ``channels`` for a
            factory.
        returns: what a factory's modules return: ``logits``, or ``map``: the reweighted piece, as
            the attention modules of timm and torchvision do. One for all levels, or one for each.
        start: how gates begin: ``paper`` as the attention's layers begin; ``half`` with logits of
            zero, gates of one half; ``one`` with logits of zero and gates ``2 * sigmoid``, which
            leaves a pretrained backbone's maps as they are. One for all levels, or one for each; by
            default the attention's own (ADR 71).
        reduction: of the hidden layers of ``channel``, ``cbam``, ``coordinate`` and
            ``gather-excite``: the channels of a part divided by their width.

    Raises:
        ConfigError: an unknown name, parts that do not divide, a size that is missing, a factory
            that returns no module.

    Example:
        >>> import torch
        >>> pyramid = AttentionPyramid(16, parts=(1, 2), attention=["channel", "eca"])
        >>> pyramid(torch.ones(2, 16, 8, 4)).shape
        torch.Size([2, 16, 8, 4])
    """

    def __init__(
        self,
        channels: int,
        parts: Sequence[int] = (1, 2),
        attention: Attention | Sequence[Attention] = "channel",
        size: Size | None = None,
        split: str | Split | Sequence[str | Split] | None = None,
        returns: Returns | Sequence[Returns] = "logits",
        start: Start | Sequence[Start] | None = None,
        reduction: int = 16,
    ) -> None:
        super().__init__()
        plans = plan_levels(parts, attention, split, returns, start)
        self.parts = tuple(parts)
        self.attention = attention
        self.channels = channels
        self._plans = plans
        built = []
        for number, plan in enumerate(plans, start=1):
            with located(f"level {number} of the pyramid"):
                built.append(plan.build(channels, size, reduction))
        self.attends = nn.ModuleList(built)

    def forward(self, x: Tensor) -> Tensor:
        """Maps X_0 to the last X_i; (N, C, H, W) float to the same shape.

        Raises:
            ConfigError: a sub-attention returned something else than it should; the message names
                the level and the part.
        """
        gated = GatedMap(x)
        for number in range(len(self._plans)):  # coarse -> fine
            gated = self._stacked(number, gated)
        return gated.map()

    def gates(self, x: Tensor) -> list[Tensor]:
        """Returns the gate of every level, coarse to fine.

        Args:
            x: (N, C, H, W).

        Returns:
            A list of tensors that broadcast over the map, such as (N, C, 1, 1) for channel
            attention and (N, 1, H, W) for spatial attention; from 0 to 1, or to 2 where gates start
            at one.

        Raises:
            ConfigError: a level returns maps and so has no gates.
        """
        gated, gates = GatedMap(x), []
        for number, plan in enumerate(self._plans):
            if plan.returns == "map":
                raise ConfigError(
                    f"level {number + 1} of the pyramid returns reweighted maps, which are no gates"
                    "; use levels()"
                )
            gates.append(gate_of(self._attended(number, gated), plan.start))
            gated = gated.times(gates[-1])
        return gates

    def levels(self, x: Tensor) -> list[Tensor]:
        """Returns X_0, X_1, ..., each computed from the one before it as Eq. 1-3 are written.

        Unlike in ``forward`` every X_i is part of the graph, so gradients at it can be asked for.

        Args:
            x: (N, C, H, W), X_0.

        Returns:
            One map of x's shape for each level, after x itself.
        """
        maps = [x]
        for number, plan in enumerate(self._plans):  # coarse -> fine
            result = self._attended(number, GatedMap(maps[-1]))  # split, attend, merge: Eq. 2
            if plan.returns == "logits":
                result = scale(maps[-1], gate_of(result, plan.start))  # stack: Eq. 3
            maps.append(result)
        return maps

    def pieces(self, number: int, x: Tensor) -> list[Tensor]:
        """Returns the parts into which a level, counted from 0, splits a map (N, C, H, W)."""
        return self._plans[number].split.pieces(x, self.parts[number])

    def _stacked(self, number: int, gated: GatedMap) -> GatedMap:
        plan = self._plans[number]
        result = self._attended(number, gated)
        if plan.returns == "map":
            return GatedMap(result)
        return gated.times(gate_of(result, plan.start))

    def _attended(self, number: int, gated: GatedMap) -> Tensor:
        level: Any = self.attends[number]
        try:
            result: Tensor = level.attend_to(gated)
        except ConfigError as error:
            raise ConfigError(f"level {number + 1} of the pyramid, {error}") from None
        return result
