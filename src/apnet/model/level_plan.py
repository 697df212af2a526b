"""From what a caller says of a pyramid to one plan per level, checked before anything is built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from apnet.errors import ConfigError
from apnet.model.attention.table import AttentionKind, attention_named
from apnet.model.levels import PartsLevel, Returns, Start
from apnet.model.splits import Size, Split, split_named

Factory = Callable[[int, Any], nn.Module]
"""From channels and size (``None`` where it is not known) of a part to its sub-attention."""

Attention = str | Factory
"""A name in ``ATTENTIONS``, or a factory of one's own."""

_RETURNS = ("logits", "map")
_STARTS = ("paper", "half", "one")


@dataclass(frozen=True)
class LevelPlan:
    """One level of a pyramid.

    Attributes:
        parts: number of parts.
        kind: what it is made of.
        split: how the map is cut.
        returns: what its sub-attentions return.
        start: how its gates begin.
    """

    parts: int
    kind: AttentionKind
    split: Split
    returns: Returns
    start: Start

    def build(self, channels: int, size: Size | None, reduction: int) -> nn.Module:
        """Returns the level's module.

        Args:
            channels: C of the maps.
            size: of the maps; ``None`` where it is not known.
            reduction: of channel sub-attentions.

        Raises:
            ConfigError: the parts do not divide, a size is missing, or gates cannot begin so.
        """
        if self.kind.needs_size and size is None:
            raise ConfigError("this attention needs the height and width of its maps as 'size'")
        piece = self.split.piece_shape(channels, size, self.parts)
        if self.kind.joint is not None and self.split.name == self.kind.split:
            joint = self.kind.joint(channels, self.parts, reduction)
            self._begin([joint])
            return joint
        attends = []
        for _ in range(self.parts):
            attends.append(self.kind.build(*piece, reduction))
            if not isinstance(attends[-1], nn.Module):
                raise ConfigError(
                    "an attention's factory takes (channels, size) and returns an nn.Module, got a "
                    f"{type(attends[-1]).__name__}"
                )
        self._begin(attends)
        return PartsLevel(attends, self.split, self.returns)

    def _begin(self, attends: Sequence[Any]) -> None:
        if self.start == "paper":
            return
        for attend in attends:
            if not hasattr(attend, "zero_logits"):
                raise ConfigError(
                    f"start = '{self.start}' needs logits that begin at zero, and "
                    f"{type(attend).__name__} has no method zero_logits(); add one, or take "
                    "start = 'paper'"
                )
            attend.zero_logits()


def plan_levels(
    parts: Sequence[int],
    attention: Attention | Sequence[Attention],
    split: str | Split | Sequence[str | Split] | None,
    returns: Returns | Sequence[Returns],
    start: Start | Sequence[Start] | None,
) -> tuple[LevelPlan, ...]:
    """Returns a plan for each level; see ``AttentionPyramid`` for the arguments.

    Raises:
        ConfigError: no level, an unknown name, or a list of another length than there are levels.
    """
    count = len(parts)
    if not count:
        raise ConfigError(
            "a pyramid needs at least one level, got parts=(); give parts such as (1, 2)"
        )
    attentions = _per_level("attention", attention, count)
    if returns == "map" and all(isinstance(each, str) for each in attentions):
        raise ConfigError(
            "returns = 'map' is said of a factory of one's own; a named attention knows what it "
            "returns, leave it out"
        )
    columns = zip(
        parts,
        attentions,
        _per_level("split", split, count),
        _per_level("returns", returns, count),
        _per_level("start", start, count),
        strict=True,
    )
    return tuple(_plan(*column) for column in columns)


def needs_sizes(
    attention: Attention | Sequence[Attention],
    split: str | Split | Sequence[str | Split] | None,
) -> bool:
    """Returns whether the maps' sizes must be known to build a pyramid, or to check its parts.

    Raises:
        ConfigError: an unknown name.
    """
    several = [attention] if isinstance(attention, str) or callable(attention) else attention
    kinds = [attention_named(each) if isinstance(each, str) else None for each in several]
    if any(kind is None or kind.needs_size or kind.split != "channels" for kind in kinds):
        return True
    return split is not None and split != "channels"


def _plan(
    parts: int,
    attention: Attention,
    split: str | Split | None,
    returns: Returns,
    start: Start | None,
) -> LevelPlan:
    if returns not in _RETURNS:
        raise ConfigError(f"a sub-attention returns 'logits' or 'map', got {returns!r}")
    own = not isinstance(attention, str)
    kind = _own_kind(attention, returns) if own else attention_named(str(attention))
    wanted = kind.split if split is None else split
    if start is not None and start not in _STARTS:
        raise ConfigError(f"gates start at one of {', '.join(_STARTS)}, got {start!r}")
    if start not in (None, "paper") and kind.returns == "map":
        raise ConfigError(
            f"start = '{start}' is about gates, and this attention returns reweighted maps; leave "
            "it out"
        )
    return LevelPlan(
        parts,
        kind,
        wanted if isinstance(wanted, Split) else split_named(wanted),
        kind.returns,
        start or kind.start,
    )


def _own_kind(attention: Any, returns: Returns) -> AttentionKind:
    if not callable(attention) or isinstance(attention, nn.Module):
        raise ConfigError(
            "an attention is a name, or a factory (channels, size) -> nn.Module such as "
            f"'lambda channels, size: MyAttention(channels)', got a {type(attention).__name__}"
        )
    return AttentionKind(
        lambda channels, size, _reduction: attention(channels, size), returns=returns
    )


def _per_level(name: str, value: Any, count: int) -> list[Any]:
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ConfigError(
            f"'{name}' has {len(value)} entries for the {count} levels of the pyramid; give one "
            "for all levels, or one for each"
        )
    return list(value)
