"""APNet: backbone stages with pyramids, average pooling, BN neck, classifier (section IV-B)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

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
        neck: (N, C) features after it.
        logits: (N, num_classes) each; empty where there is no classifier.
    """

    pooled: tuple[Tensor, ...]
    neck: tuple[Tensor, ...]
    logits: tuple[Tensor, ...]


class HeadFeatures(NamedTuple):
    """The two features of one head, (N, C) each: before and after the BN neck."""

    pooled: Tensor
    neck: Tensor


class Head(nn.Module):
    """BN neck without shift and linear classifier without bias.

    Args:
        channels: C.
        num_classes: training identities; 0 builds no classifier.

    Attributes:
        width: D of its feature.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.width = channels
        self.neck = nn.BatchNorm1d(channels)
        self.neck.bias.requires_grad_(False)  # stays at zero: no shift
        self.classifier = new_classifier(channels, num_classes)

    def features(self, pooled: Tensor) -> HeadFeatures:
        """Returns (N, C) before and after the neck."""
        return HeadFeatures(pooled, self.neck(pooled))


def new_classifier(channels: int, num_classes: int) -> nn.Linear | None:
    """Returns a linear classifier without bias as training begins; ``None`` for 0 classes."""
    if not num_classes:
        return None
    classifier = nn.Linear(channels, num_classes, bias=False)
    nn.init.normal_(classifier.weight, std=_CLASSIFIER_STD)
    return classifier


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
        branches: map to pooled features, with a head for each in ``heads``; the global one first.
        feature: what the embedding is: ``bn`` after the neck, ``pooled`` before it, or ``logits``.
        joined: whether the losses see the features of all heads as one vector.

    Attributes:
        image_size: H and W in pixels of the images that it is meant for, where that is known.

    Raises:
        ConfigError: ``feature`` is ``logits`` and there is no classifier.
    """

    def __init__(
        self,
        trunk: nn.Module,
        branches: Sequence[nn.Module],
        feature: Literal["bn", "pooled", "logits"] = "bn",
        *,
        joined: bool = False,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.branches = nn.ModuleList(branches)
        self.feature = feature
        self.joined = joined
        self.image_size: tuple[int, int] | None = None
        if feature == "logits" and not self.num_classes:
            raise ConfigError('feature = "logits" needs a classifier: set num_classes above 0')

    def forward(self, images: Tensor) -> NetworkOutput:
        """Returns features and logits for the losses.

        Args:
            images: (N, 3, H, W) float, normalised by ImageNet's mean and deviation.
        """
        features = self._features(images)
        logits = self._logits(features) if self.num_classes else []
        pooled, neck = (list(column) for column in zip(*features, strict=True))
        if self.joined:
            pooled, neck = [torch.cat(pooled, dim=1)], [torch.cat(neck, dim=1)]
        return NetworkOutput(tuple(pooled), tuple(neck), tuple(logits))

    def embed(self, images: Tensor) -> Tensor:
        """Returns the embedding, not normalised, local features behind the global one.

        Args:
            images: as in ``forward``.

        Returns:
            (N, feature_dim).
        """
        features = self._features(images)
        if self.feature == "logits":
            return torch.cat(self._logits(features), dim=1)
        return torch.cat(
            [each.neck if self.feature == "bn" else each.pooled for each in features], dim=1
        )

    @property
    def num_classes(self) -> int:
        """Number of identities of the classifiers; 0 where there are none."""
        classifier = self.heads[0].classifier
        return 0 if classifier is None else int(classifier.out_features)

    @property
    def feature_dim(self) -> int:
        """D of the embedding."""
        if self.feature == "logits":
            return self.num_classes * len(self.heads)
        return sum(self.feature_dims)

    @property
    def feature_dims(self) -> tuple[int, ...]:
        """D of each feature that the losses see."""
        dims = tuple(int(head.width) for head in self.heads)
        return (sum(dims),) if self.joined else dims

    @property
    def heads(self) -> list[Any]:
        """The heads of all branches, in the order of their features."""
        branches: list[Any] = list(self.branches)
        return [head for branch in branches for head in branch.heads]

    def set_classes(self, num_classes: int) -> None:
        """Gives every head a new classifier; the present ones are dropped.

        Args:
            num_classes: training identities; 0 leaves no classifier.
        """
        like = next(self.parameters())
        for head in self.heads:
            head.classifier = new_classifier(head.width, num_classes)
            if head.classifier is not None:
                head.classifier.to(like.device, like.dtype)

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

    def _features(self, images: Tensor) -> list[HeadFeatures]:
        shared = self.trunk(images)
        pooled = [each for branch in self.branches for each in branch(shared)]
        return [head.features(each) for head, each in zip(self.heads, pooled, strict=True)]

    def _logits(self, features: Sequence[HeadFeatures]) -> list[Tensor]:
        pairs = zip(self.heads, features, strict=True)
        return [head.classifier(each.neck) for head, each in pairs]
