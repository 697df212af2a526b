"""Small batches for the tests of the losses."""

import torch

from apnet.losses import LOSSES, LossBatch

LABELS = torch.tensor([0, 0, 1, 1, 2, 2, 2, 4])
CLASSES, DIMENSION = 5, 3


def built(name, feature_dim=DIMENSION, **options):
    """The table's loss in float64, with its defaults but for ``options``."""
    torch.manual_seed(7)
    kind = LOSSES[name]
    return kind.build(CLASSES, feature_dim, **kind.options | options).double()


def batch_of(features, labels=LABELS, **others):
    """A batch whose neck is the pooled feature mirrored, and whose logits are its first entries."""
    return LossBatch(
        features, -features, features.repeat(1, CLASSES)[:, :CLASSES], labels, **others
    )


def random_features(seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(LABELS), DIMENSION, generator=generator, dtype=dtype)
