"""The reference: PyTorch, image plus mirror image (section IV-A/B). Faster ways answer to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from apnet.data import EvaluationTransform, image_batches
from apnet.devices import Precision, autocast
from apnet.model import APNet
from apnet.progress import Progress, silent
from apnet.types import Embeddings, ImageRecord


def embed_images(network: APNet, images: Tensor, *, flip: bool = True) -> Tensor:
    """Returns L2-normalised embeddings; with ``flip`` of the sum with the mirror image's.

    Args:
        network: in evaluation mode.
        images: (N, 3, H, W) float32, normalised as ``EvaluationTransform`` does.
        flip: whether to add the mirror image's feature.

    Returns:
        (N, D) float32.
    """
    return with_mirror(network.embed, images, flip)


def with_mirror(embed: Callable[[Tensor], Tensor], images: Tensor, flip: bool) -> Tensor:
    """Returns what ``embed_images`` does, with any function from (N, 3, H, W) to (N, D)."""
    features = embed(images).float()
    if flip:
        features = features + embed(images.flip(3)).float()
    return functional.normalize(features)


@torch.inference_mode()
def embed_records(
    network: APNet,
    records: Sequence[ImageRecord],
    image_size: tuple[int, int],
    *,
    flip: bool = True,
    precision: Precision = "float32",
    batch_size: int = 64,
    workers: int = 0,
    progress: Progress = silent,
) -> Embeddings:
    """Embeds image files; memory beyond the network is one batch and the (N, D) result.

    Args:
        network: used in evaluation mode on the device where its weights are; its mode is restored.
        records: the images.
        image_size: height and width in pixels to resize to.
        flip: whether to add the mirror image's feature.
        precision: arithmetic of the network.
        batch_size: images in one forward pass.
        workers: processes that decode; 0 decodes in this one.
        progress: called with (images done, images in all).

    Raises:
        ImageError: an image cannot be read; nothing is skipped.
    """
    device = next(network.parameters()).device
    batches = image_batches(records, EvaluationTransform(image_size), batch_size, workers)
    rows: list[np.ndarray] = []
    training = network.training
    network.eval()
    try:
        for images in batches:
            images = images.to(device, memory_format=torch.channels_last)
            with autocast(precision, device):
                features = embed_images(network, images, flip=flip)
            rows.append(features.cpu().numpy())
            progress(sum(map(len, rows)), len(records))
    finally:
        network.train(training)
    return Embeddings.of(
        np.concatenate(rows) if rows else np.empty((0, network.feature_dim), np.float32), records
    )
