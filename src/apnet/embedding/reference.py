"""The reference: PyTorch, image plus mirror image (sections IV-A and IV-B)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from apnet.embedding.backends import Arithmetic, with_mirror
from apnet.embedding.engines.eager import unchanged_backend
from apnet.embedding.fixed import Embeddable
from apnet.embedding.stream import BATCH_SIZE, EmbedOptions, embed_stream
from apnet.model import APNet
from apnet.model.shapes import evaluating
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


def embed_records(
    network: Embeddable,
    records: Sequence[ImageRecord],
    image_size: tuple[int, int],
    *,
    flip: bool = True,
    precision: Arithmetic = "float32",
    batch_size: int = BATCH_SIZE,
    workers: int = 0,
    progress: Progress = silent,
) -> Embeddings:
    """Embeds image files; memory beyond the network is three batches and the (N, D) result.

    Args:
        network: used in evaluation mode on the device where its weights are; its mode is restored.
        records: the images.
        image_size: height and width in pixels to resize to.
        flip: whether to add the mirror image's feature.
        precision: arithmetic of the network.
        batch_size: images in one forward pass, 1 or more.
        workers: threads that decode beside the network; 0 and 1 both mean one.
        progress: called with (images done, images in all).

    Raises:
        ConfigError: the batch size is below 1.
        ImageError: an image cannot be read; nothing is skipped.
    """
    options = EmbedOptions(image_size, flip, threads=max(workers, 1), batch_size=batch_size)
    rows: list[np.ndarray] = []
    done = 0
    with evaluating(network):
        for batch in embed_stream(unchanged_backend(network, precision), records, options):
            rows.append(batch.features)
            done += len(batch.records)
            progress(done, len(records))
    return Embeddings.of(
        np.concatenate(rows) if rows else np.empty((0, network.feature_dim), np.float32), records
    )
