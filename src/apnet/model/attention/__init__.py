"""Sub-attentions: what a pyramid level applies to each part of the map."""

from apnet.model.attention.channel import ChannelAttention
from apnet.model.attention.spatial import SpatialAttention
from apnet.model.attention.table import ATTENTIONS, AttentionKind, attention_named

__all__ = ["ATTENTIONS", "AttentionKind", "ChannelAttention", "SpatialAttention", "attention_named"]
