"""Attentions by name: what a level of a pyramid is made of, and its paper's defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from apnet.model.attention.cbam import ConvolutionalBlockAttention
from apnet.model.attention.channel import ChannelAttention
from apnet.model.attention.coordinate import CoordinateAttention
from apnet.model.attention.eca import EfficientChannelAttention
from apnet.model.attention.gather_excite import GatherExcite
from apnet.model.attention.non_local import NonLocal
from apnet.model.attention.relation_channel import RelationChannelAttention
from apnet.model.attention.spatial import SpatialAttention
from apnet.model.levels import Returns, Start
from apnet.naming import look_up


@dataclass(frozen=True)
class AttentionKind:
    """A named attention.

    Attributes:
        build: makes the sub-attention of one part: (channels, size of the piece, reduction).
        split: how its paper, or this one, splits the map; a name in ``SPLITS``.
        returns: what a sub-attention returns.
        start: how its gates begin, see ``AttentionPyramid``.
        needs_size: whether ``build`` needs H and W.
        joint: makes one module for all parts of a level split as above: (channels, parts,
            reduction); ``None`` where each part has a module.
    """

    build: Callable[[int, Any, int], nn.Module]
    split: str = "channels"
    returns: Returns = "logits"
    start: Start = "paper"
    needs_size: bool = False
    joint: Callable[[int, int, int], nn.Module] | None = None


ATTENTIONS: dict[str, AttentionKind] = {
    "channel": AttentionKind(
        lambda channels, _size, reduction: ChannelAttention(channels, 1, reduction),
        joint=ChannelAttention,
    ),
    "spatial": AttentionKind(
        lambda channels, size, _reduction: SpatialAttention(channels, size),
        split="rows",
        start="half",
        needs_size=True,
    ),
    "eca": AttentionKind(lambda channels, _size, _reduction: EfficientChannelAttention(channels)),
    # By channels: its 7x7 kernel sees the whole map, where a strip of a late stage has fewer than
    # 7 rows, and the hidden layers of n parts cost 1/n, as those of the channel pyramid do.
    "cbam": AttentionKind(
        lambda channels, _size, reduction: ConvolutionalBlockAttention(channels, reduction),
        returns="map",
    ),
    "coordinate": AttentionKind(
        lambda channels, _size, reduction: CoordinateAttention(channels, reduction),
        split="rows",
        returns="map",
    ),
    "gather-excite": AttentionKind(
        lambda channels, _size, reduction: GatherExcite(channels, reduction)
    ),
    "non-local": AttentionKind(
        lambda channels, _size, _reduction: NonLocal(channels), split="rows", returns="map"
    ),
    "rga-c": AttentionKind(
        lambda channels, size, _reduction: RelationChannelAttention(channels, size),
        start="half",
        needs_size=True,
    ),
}
"""Adding an attention: its file, and a line here."""


def attention_named(name: str) -> AttentionKind:
    """Returns the attention of this name.

    Raises:
        ConfigError: there is none.
    """
    return look_up("attention", name, ATTENTIONS)
