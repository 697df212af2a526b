"""APNet: backbone stages with pyramids, average pooling, BN neck, classifier (section IV-B)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from apnet.errors import ConfigError
from apnet.model.shapes import evaluating
from apnet.model.stages import Stage, recorded_levels

_CLASSIFIER_STD = 0.001


class NetworkOutput(NamedTuple):
    """What training needs of one batch, per local or global feature, the global one first.

    Attributes:
        pooled: (N, C) features before the BN neck, for the triplet loss.
        logits: (N, num_classes) each; empty where there is no classifier.
    """

    pooled: tuple[Tensor, ...]
    logits: tuple[Tensor, ...]


class Head(nn.Module):
    """BN neck without shift and linear classifier without bias.

    Args:
        channels: C.
        num_classes: training identities; 0 builds no classifier.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.neck = nn.BatchNorm1d(channels)
        self.neck.bias.requires_grad_(False)  # stays at zero: no shift
        self.classifier = nn.Linear(channels, num_classes, bias=False) if num_classes else None
        if self.classifier is not None:
            nn.init.normal_(self.classifier.weight, std=_CLASSIFIER_STD)

    def logits(self, pooled: Tensor) -> Tensor:
        """Maps (N, C) to (N, num_classes).

        Raises:
            ConfigError: the network was built without a classifier.
        """
        if self.classifier is None:
            raise ConfigError("this network has no classifier; build it with num_classes > 0")
        logits: Tensor = self.classifier(self.neck(pooled))
        return logits


class Branch(nn.Module):
    """What follows the shared trunk: further stages, pooling in bands of rows, a head for each.

    Args:
        body: (N, ., h, w) to (N, channels, h', w').
        channels: C of the final map.
        parts: bands along H that are pooled separately; 1 pools the whole map.
        num_classes: of each head.
    """

    def __init__(self, body: nn.Module, channels: int, parts: int, num_classes: int) -> None:
        super().__init__()
        self.parts = parts
        self.body = body
        self.heads = nn.ModuleList(Head(channels, num_classes) for _ in range(parts))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Returns the pooled features, ``parts`` of (N, C), top band first."""
        bands = functional.adaptive_avg_pool2d(self.body(x), (self.parts, 1))
        return list(bands.flatten(2).unbind(2))  # (N, C, parts, 1) -> parts x (N, C)


class APNet(nn.Module):
    """The attention pyramid network, from parts; presets put them together.

    Args:
        trunk: images to map; its stages hold their pyramids already.
        branches: the global one first.
        feature: what the embedding is: ``bn`` after the neck, ``pooled`` before it, or ``logits``.

    Raises:
        ConfigError: ``feature`` is ``logits`` and there is no classifier.
    """

    def __init__(
        self,
        trunk: nn.Module,
        branches: Sequence[Branch],
        feature: Literal["bn", "pooled", "logits"] = "bn",
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.branches = nn.ModuleList(branches)
        self.feature = feature
        if feature == "logits" and self._heads()[0].classifier is None:
            raise ConfigError('feature = "logits" needs a classifier: set num_classes above 0')

    def forward(self, images: Tensor) -> NetworkOutput:
        """Returns features and logits for the losses.

        Args:
            images: (N, 3, H, W) float, normalised by ImageNet's mean and deviation.
        """
        pooled = self._pooled(images)
        heads = self._heads()
        if heads[0].classifier is None:
            return NetworkOutput(tuple(pooled), ())
        logits = [head.logits(each) for head, each in zip(heads, pooled, strict=True)]
        return NetworkOutput(tuple(pooled), tuple(logits))

    def embed(self, images: Tensor) -> Tensor:
        """Returns the embedding, not normalised, local features behind the global one.

        Args:
            images: as in ``forward``.

        Returns:
            (N, feature_dim).
        """
        features: dict[str, Callable[[Head, Tensor], Tensor]] = {
            "bn": lambda head, pooled: head.neck(pooled),
            "pooled": lambda _head, pooled: pooled,
            "logits": lambda head, pooled: head.logits(pooled),
        }
        of = features[self.feature]
        pairs = zip(self._heads(), self._pooled(images), strict=True)
        return torch.cat([of(head, pooled) for head, pooled in pairs], dim=1)

    @property
    def feature_dim(self) -> int:
        """D of the embedding."""
        heads = self._heads()
        if self.feature == "logits":
            return sum(head.classifier.out_features for head in heads if head.classifier)
        return sum(head.neck.num_features for head in heads)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that images pass on their way to the global feature, first to last."""
        path = itertools.chain(self.trunk.modules(), self.branches[0].modules())
        return tuple(module for module in path if isinstance(module, Stage))

    def level_maps(self, images: Tensor) -> list[list[Tensor]]:
        """Returns how strong the features are after every pyramid level, in evaluation mode.

        Args:
            images: as in ``forward``.

        Returns:
            Per stage, per level from 0 (the stage's output before its pyramid), (N, H, W): the mean
            over channels of the magnitude of X_i.
        """
        with evaluating(self), torch.no_grad(), recorded_levels(self.stages) as record:
            self.branches[0](self.trunk(images))
        return [[level.abs().mean(dim=1) for level in levels] for levels in record]

    def _pooled(self, images: Tensor) -> list[Tensor]:
        shared = self.trunk(images)
        return [pooled for branch in self.branches for pooled in branch(shared)]

    def _heads(self) -> list[Head]:
        return [module for module in self.branches.modules() if isinstance(module, Head)]
