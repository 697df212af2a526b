"""The paper's two losses as terms of an objective (section III-C)."""

from __future__ import annotations

from torch import Tensor, nn

from apnet.errors import ConfigError
from apnet.losses.batch import LossBatch
from apnet.losses.paper import batch_hard_triplet, smoothed_cross_entropy


class CrossEntropy(nn.Module):
    """Label-smoothed cross-entropy (Eq. 7, 8), the mean over this process's images.

    Processes have equally many images, so that the mean over processes is that of all images.

    Args:
        label_smoothing: epsilon of Eq. 8, in [0, 1).
    """

    def __init__(self, label_smoothing: float) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, batch: LossBatch) -> Tensor:
        """Returns a scalar, in float32.

        Raises:
            ConfigError: the network has no classifier.
        """
        if batch.logits is None:
            raise ConfigError("loss 'cross-entropy' needs a network with num_classes above 0")
        labels = batch.labels.repeat(len(batch.logits) // len(batch.labels))
        return smoothed_cross_entropy(batch.logits.float(), labels, self.label_smoothing)


class Triplet(nn.Module):
    """Batch-hard triplet (Eq. 6), the mean over this process's anchors.

    Each anchor's hardest examples are searched among ``candidates``, the images of all processes.

    Args:
        margin: m of Eq. 6.
    """

    def __init__(self, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, batch: LossBatch) -> Tensor:
        """Returns a scalar, in float32."""
        return batch_hard_triplet(batch.pooled, batch.labels, self.margin, batch.candidates)


def cross_entropy(num_classes: int, feature_dim: int, *, label_smoothing: float) -> nn.Module:
    """Builds the smoothed cross-entropy; the paper's smoothing is 0.1."""
    return CrossEntropy(label_smoothing)


def triplet(num_classes: int, feature_dim: int, *, margin: float) -> nn.Module:
    """Builds the batch-hard triplet; the paper's margin is 0.3."""
    return Triplet(margin)
