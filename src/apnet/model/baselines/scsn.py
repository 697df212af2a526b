"""SCSN: a cascade that hides the stripe it found salient and looks for the next one (Table III).

After Chen et al., "Salience-Guided Cascaded Suppression Network for Person Re-identification",
CVPR 2020. What the description leaves open is settled in docs/decisions/0061.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from apnet.model.attention import ChannelAttention
from apnet.model.baselines.stripes import NoPositions, check_rows
from apnet.model.network import APNet, Head
from apnet.model.stages import Stage

STRIPES = 6
CASCADE = 3
WIDTH = 512


def scsn(
    body: nn.Sequential,
    stages: Sequence[Stage],
    num_classes: int,
    reduction: int,
    feature: Literal["bn", "pooled", "logits"] = "bn",
) -> APNet:
    """Returns a backbone whose last two stages are fused with the ones before, under the cascade.

    Args:
        body: a stem and four stages.
        stages: the four, first to last.
        num_classes: of each classifier; 0 builds none.
        reduction: of the channel attentions.
        feature: what the embedding is, see ``APNet``.
    """
    trunk = FusedTrunk(body, stages, reduction)
    return APNet(trunk, [Cascade(stages[-1].channels, num_classes)], feature)


class FusedTrunk(nn.Module):
    """Runs the stages; after the third and the fourth the one before is fused in, then attended.

    Args:
        body: a stem and four stages.
        stages: the four, first to last.
        reduction: of the channel attentions.
    """

    def __init__(self, body: nn.Sequential, stages: Sequence[Stage], reduction: int) -> None:
        super().__init__()
        second, third, fourth = (stage.channels for stage in stages[1:])
        self.early = body[:-2]
        self.later = body[-2:]
        self.fusions = nn.ModuleList((NonLocalFusion(third, second), NonLocalFusion(fourth, third)))
        self.attentions = nn.ModuleList(DualAttention(c, reduction) for c in (third, fourth))

    def forward(self, images: Tensor) -> Tensor:
        """Maps (N, 3, H, W) to (N, C, h, w)."""
        x: Tensor = self.early(images)
        for stage, fuse, attend in zip(self.later, self.fusions, self.attentions, strict=True):
            x = attend(fuse(stage(x), x))
        return x


class NonLocalFusion(nn.Module):
    """Adds to every position of a map what it attends to in the map of the stage before.

    Queries come from the later map, keys and values from the earlier one, each by a 1x1
    convolution to half the earlier map's channels. The last batch norm starts at zero, so training
    starts from the backbone as it is.

    Args:
        channels: C of the later map.
        earlier: channels of the earlier map.
    """

    def __init__(self, channels: int, earlier: int) -> None:
        super().__init__()
        inner = max(earlier // 2, 1)
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(earlier, inner, 1)
        self.value = nn.Conv2d(earlier, inner, 1)
        self.out = nn.Conv2d(inner, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor, earlier: Tensor) -> Tensor:
        """Maps (N, C, h, w) and (N, ., H, W) to (N, C, h, w)."""
        query, key, value = (
            part.flatten(2).transpose(1, 2).unsqueeze(1)  # (N, I, h, w) -> (N, 1, h*w, I)
            for part in (self.query(x), self.key(earlier), self.value(earlier))
        )
        found = functional.scaled_dot_product_attention(query, key, value).squeeze(1)
        found = found.transpose(1, 2).reshape(len(x), -1, *x.shape[2:])  # (N, h*w, I) -> map
        fused: Tensor = x + self.norm(self.out(found))
        return fused


class DualAttention(nn.Module):
    """Residual dual attention: ``x (1 + channel gate * spatial gate)``.

    Args:
        channels: C.
        reduction: of the channel gate, see ``ChannelAttention``.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.channel = ChannelAttention(channels, 1, reduction)
        self.spatial = nn.Sequential(nn.Conv2d(channels, 1, 1, bias=False), nn.BatchNorm2d(1))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, h, w) to the same shape."""
        channel = torch.sigmoid(self.channel(x.mean(dim=(2, 3))))[:, :, None, None]
        return x * (1 + channel * torch.sigmoid(self.spatial(x)))


class Cascade(nn.Module):
    """The global feature, then one from each stage of the cascade.

    A stage gives every stripe a salience and pools them by it; the most salient stripe is hidden
    from the stages after. Stripes are pooled once, for all stages: hiding one changes no other.

    Args:
        channels: C of the map.
        num_classes: of each head.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.body = NoPositions()
        self.heads = nn.ModuleList()
        self.units = nn.ModuleList(SalientFeature(channels, WIDTH) for _ in range(CASCADE))
        self.heads.append(Head(channels, num_classes))
        self.heads.extend(Head(WIDTH, num_classes) for _ in self.units)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps (N, C, h, w) to the global (N, C) and one (N, 512) for each stage.

        Raises:
            ConfigError: the map has fewer rows than stripes.
        """
        check_rows(x.shape[2], STRIPES)
        stripes = functional.adaptive_avg_pool2d(x, (STRIPES, 1)).squeeze(3)  # (N, C, K)
        stripes = stripes.transpose(1, 2)  # (N, C, K) -> (N, K, C)
        hidden = torch.zeros(stripes.shape[:2], dtype=torch.bool, device=x.device)
        features = [x.mean(dim=(2, 3))]
        for unit in self.units:
            feature, salience = unit(stripes, hidden)
            features.append(feature)
            hidden = hidden | functional.one_hot(salience.argmax(dim=1), STRIPES).bool()
        return features


class SalientFeature(nn.Module):
    """The salient feature extraction unit of one stage.

    Args:
        channels: C of a stripe.
        width: of the feature.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.reduce = nn.Conv1d(channels, width, 1, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.score = nn.Linear(width, 1)

    def forward(self, stripes: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Pools the stripes by their salience.

        Args:
            stripes: (N, K, C).
            hidden: (N, K) bool, those that earlier stages found; at least one is not hidden.

        Returns:
            The feature (N, width), and each stripe's share of it (N, K), which sum to 1; a hidden
            stripe's is 0.
        """
        reduced = torch.relu(self.norm(self.reduce(stripes.transpose(1, 2)))).transpose(1, 2)
        scores: Tensor = self.score(reduced).squeeze(2)  # (N, K, width) -> (N, K)
        salience = scores.masked_fill(hidden, -torch.inf).softmax(dim=1)
        feature = torch.einsum("nk,nkd->nd", salience.to(reduced.dtype), reduced)
        return feature, salience
