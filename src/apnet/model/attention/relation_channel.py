"""Relation-aware global attention over the channels of a map, RGA-C.

Zhang et al., "Relation-Aware Global Attention for Person Re-identification", CVPR 2020.
"""

from __future__ import annotations

from torch import Tensor, nn

from apnet.errors import ConfigError
from apnet.model.attention.spatial import SpatialAttention


class RelationChannelAttention(nn.Module):
    """RGA-C: a gate per channel from its relations to all channels.

    RGA-C is RGA-S with the roles of channels and positions exchanged: a channel is a node, and its
    H*W values are the node's features. So the map is transposed and given to ``SpatialAttention``,
    which never forms the C x C relations.

    Args:
        channels: C.
        size: H and W of the maps, in map pixels; the weights fit this size only.

    Raises:
        ConfigError: an argument is below 1.
    """

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        if min(channels, *size) < 1:
            raise ConfigError(f"rga-c attention got {channels} channels and a map of {size}")
        self.nodes = SpatialAttention(size[0] * size[1], (channels, 1))
        self._shape = (channels, *size)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, H, W) to logits (N, C, 1, 1), any real number.

        Raises:
            ConfigError: the map does not have the shape that the attention was built for.
        """
        if tuple(x.shape[1:]) != self._shape:
            raise ConfigError(
                f"this rga-c attention was built for maps of {_written(self._shape)}, got "
                f"{_written(tuple(x.shape[1:]))}; give images of the size the network was built "
                "with"
            )
        nodes = x.flatten(2).transpose(1, 2).unsqueeze(3)  # (N, C, H, W) -> (N, H*W, C, 1)
        logits: Tensor = self.nodes(nodes)  # (N, 1, C, 1)
        return logits.transpose(1, 2)

    def zero_logits(self) -> None:
        """Lets every logit begin at zero."""
        self.nodes.zero_logits()


def _written(shape: tuple[int, ...]) -> str:
    return "x".join(str(length) for length in shape)
