"""``apnet embed``: from image files to a feature file, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from apnet.checkpoints import Checkpoint
from apnet.cli.terminal import progress_bar, tell
from apnet.data.gathering import unreadable_images
from apnet.embedding import embed_records
from apnet.errors import ImageError
from apnet.files import replacing, write_text
from apnet.retrieval import save_features
from apnet.types import Embeddings, ImageRecord


@dataclass(frozen=True)
class Manner:
    """How images are embedded."""

    device: torch.device
    """Where the network runs."""

    flip: bool = True
    """Whether the mirror image's feature is added."""

    skip_unreadable: bool = False
    """Whether images that cannot be used are left out and listed, instead of ending the job."""

    workers: int = 0
    """Processes that decode; 0 decodes in this one."""


def embed_to_file(
    checkpoint: Checkpoint, records: Sequence[ImageRecord], out: Path, manner: Manner
) -> tuple[Embeddings, list[str]]:
    """Embeds images and writes the features, and a list of the skipped images where there are any.

    Args:
        checkpoint: the network.
        records: the images.
        out: the feature file; the list goes beside it, with ``.skipped.txt`` behind its name.
        manner: see ``Manner``.

    Returns:
        What was written, and the paths of the skipped images.

    Raises:
        ImageError: an image cannot be used, or none of them can; nothing is written.
        DataError: ``out`` cannot be written.
    """
    network = checkpoint.network
    network.to(manner.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    skipped: list[str] = []
    with replacing(out) as part:  # opened first: what cannot be written is told before the work
        if manner.skip_unreadable:
            records, skipped = _readable(records, manner.workers)
        with progress_bar("embedding") as progress:
            embeddings = embed_records(
                network,
                records,
                checkpoint.config.image_size,
                flip=manner.flip,
                workers=manner.workers,
                progress=progress,
            )
        save_features(part, embeddings)
        _list_skipped(out.with_name(f"{out.name}.skipped.txt"), skipped)
    return embeddings, skipped


def _readable(
    records: Sequence[ImageRecord], workers: int
) -> tuple[Sequence[ImageRecord], list[str]]:
    with progress_bar("checking") as progress:
        faults = unreadable_images(records, max(workers, 1), progress)
    for error in faults.values():
        tell(f"skipped: {error}")
    left = [record for record in records if record.path not in faults]
    if not left:
        raise ImageError(f"none of the {len(records):,} images can be read; see the list above")
    return left, [str(path) for path in faults]


def _list_skipped(path: Path, skipped: Sequence[str]) -> None:
    if skipped:
        write_text(path, "".join(f"{name}\n" for name in skipped))
    else:
        path.unlink(missing_ok=True)  # an earlier run's
