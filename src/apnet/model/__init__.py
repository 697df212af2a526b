"""The network: attentions, pyramids, backbones, heads; images to features. See docs/decisions."""

from apnet.config import PRESETS, preset
from apnet.model.attention import (
    ATTENTIONS,
    AttentionKind,
    ChannelAttention,
    SpatialAttention,
    attention_named,
)
from apnet.model.backbones.create import Backbone, create_backbone
from apnet.model.baselines.released import ReleasedPyramid, SplitAttention
from apnet.model.build import build_network, create_network
from apnet.model.cost import Cost, network_cost
from apnet.model.insertion import insert_pyramids, remove_pyramids
from apnet.model.network import APNet, Branch, NetworkOutput
from apnet.model.pyramid import AttentionPyramid
from apnet.model.splits import SPLITS, Split
from apnet.model.stages import Stage, recorded_levels

__all__ = [
    "ATTENTIONS",
    "PRESETS",
    "SPLITS",
    "APNet",
    "AttentionKind",
    "AttentionPyramid",
    "Backbone",
    "Branch",
    "ChannelAttention",
    "Cost",
    "NetworkOutput",
    "ReleasedPyramid",
    "SpatialAttention",
    "Split",
    "SplitAttention",
    "Stage",
    "attention_named",
    "build_network",
    "create_backbone",
    "create_network",
    "insert_pyramids",
    "network_cost",
    "preset",
    "recorded_levels",
    "remove_pyramids",
]
