"""Sub-attentions: what a pyramid level applies to each part of the map."""

from apnet.model.attention.cbam import ConvolutionalBlockAttention
from apnet.model.attention.channel import ChannelAttention
from apnet.model.attention.coordinate import CoordinateAttention
from apnet.model.attention.eca import EfficientChannelAttention
from apnet.model.attention.gather_excite import GatherExcite
from apnet.model.attention.non_local import NonLocal
from apnet.model.attention.relation_channel import RelationChannelAttention
from apnet.model.attention.spatial import SpatialAttention
from apnet.model.attention.table import ATTENTIONS, AttentionKind, attention_named

__all__ = [
    "ATTENTIONS",
    "AttentionKind",
    "ChannelAttention",
    "ConvolutionalBlockAttention",
    "CoordinateAttention",
    "EfficientChannelAttention",
    "GatherExcite",
    "NonLocal",
    "RelationChannelAttention",
    "SpatialAttention",
    "attention_named",
]
