"""Embedding jobs: what is embedded and how, and the job that fills a feature file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from apnet.arguments import AnyPath, as_path
from apnet.display import summarised
from apnet.embedding.agreement import sample_images
from apnet.embedding.choice import Choice, choose_backend
from apnet.embedding.engines import Task
from apnet.embedding.fixed import Embeddable, FixedNetwork
from apnet.embedding.stream import EmbeddedBatch, EmbedOptions, embed_stream
from apnet.errors import ImageError
from apnet.files import check_writable, write_text
from apnet.progress import Progress, silent
from apnet.retrieval.files.arrays import arrays_of
from apnet.retrieval.files.formats import format_of
from apnet.types import Embeddings, ImageRecord

Notify = Callable[[str], None]
"""Called with one line about what happened, for the user."""


@dataclass(frozen=True)
class ComputeOptions:
    """Where and in which arithmetic features are computed."""

    device: torch.device
    """Where the network runs."""

    backend: str = "auto"
    """See ``apnet.embedding.BACKENDS``."""

    precision: str = "auto"
    """See ``apnet.embedding.PRECISIONS``."""


@dataclass(frozen=True)
class EmbedJob:
    """What is to be embedded, how, and who is told about it."""

    network: Embeddable
    """In evaluation mode; it is moved to the device, except a ``FixedNetwork``."""

    records: Sequence[ImageRecord]
    """The images."""

    options: EmbedOptions
    """Image size, mirror image, unreadable images, threads."""

    compute: ComputeOptions
    """Device, back-end, precision."""

    progress: Progress = silent
    """Called with (images done, images in all)."""

    notify: Notify = lambda _line: None
    """Called with remarks: skipped images, the back-end that is used, those that are not."""


@summarised
@dataclass(frozen=True, repr=False)
class EmbedResult:
    """What a job did."""

    images: int
    """Images with features, in the file or store."""

    dimensions: int
    """D."""

    skipped: tuple[str, ...]
    """Paths left out in this job."""

    choice: Choice | None
    """How the features were computed; ``None`` where nothing was left to do."""

    def computed(self) -> dict[str, Any]:
        """Returns back-end, precision and agreement as JSON values."""
        if self.choice is None:
            return {"backend": None, "precision": None, "agreement": None}
        agreed = self.choice.agreement
        return {
            "backend": self.choice.backend.name,
            "precision": self.choice.backend.precision,
            "agreement": agreed
            and {"cosine": agreed.cosine, "ranks": agreed.ranks, "orders": agreed.orders},
        }


def embed_to_file(job: EmbedJob, out: AnyPath, *, fingerprint: str | None = None) -> EmbedResult:
    """Embeds images into a feature file, and lists the skipped images beside it.

    Args:
        job: what is embedded, and how.
        out: the feature file. The list of skipped images, if there are any, has its name with
            ``.skipped.txt`` appended.
        fingerprint: of the network, such as its checkpoint's; the file keeps it.

    Raises:
        ConfigError: back-end and precision do not go together, or do not work here.
        ImageError: an image cannot be used, or none of them can; nothing is written.
        DataError: ``out`` cannot be written.
    """
    out = as_path(out, "out")
    kept: list[ImageRecord] = []
    rows: list[np.ndarray] = []

    def keep(batch: EmbeddedBatch[ImageRecord]) -> None:
        kept.extend(batch.records)
        rows.extend([batch.features] if len(batch.records) else [])

    write = format_of(out).write
    check_writable(out, 4 * job.network.feature_dim * len(job.records))
    choice = choose_engine(job)
    skipped = run_job(job, choice, job.records, keep, 0)
    if not kept:
        raise none_readable(job.records)
    embeddings = Embeddings.of(np.concatenate(rows), kept, fingerprint)
    write(out, arrays_of(embeddings))
    _list_skipped(out.with_name(f"{out.name}.skipped.txt"), skipped)
    return EmbedResult(len(kept), embeddings.features.shape[1], skipped, choice)


def choose_engine(job: EmbedJob) -> Choice:
    """Chooses what computes a job's features, and tells what it is and what it is not."""
    if isinstance(job.network, FixedNetwork):
        return Choice(job.network.backend(job.compute.precision, job.compute.backend), None)
    size, threads = job.options.image_size, job.options.threads
    choice = choose_backend(
        Task(job.network, size, len(job.records), job.compute.device),
        lambda count: sample_images(job.records, size, count, threads=threads),
        backend=job.compute.backend,
        precision=job.compute.precision,
    )
    for remark in choice.remarks:
        job.notify(f"not used: {remark}")
    if choice.agreement is not None:
        job.notify(f"computing with {choice.backend}: {choice.agreement}")
    return choice


def run_job(
    job: EmbedJob,
    choice: Choice,
    left: Sequence[ImageRecord],
    take: Callable[[EmbeddedBatch[ImageRecord]], None],
    later: int,
) -> tuple[str, ...]:
    """Embeds the images that are left and calls ``take`` per batch; returns the skipped paths.

    ``later`` images come afterwards, in another call.
    """
    total = len(job.records)
    done, skipped = total - len(left) - later, []
    for batch in embed_stream(choice.backend, left, job.options):
        take(batch)
        for record, error in batch.faults:
            job.notify(f"skipped: {error}")
            skipped.append(str(record.path))
        done += len(batch.records) + len(batch.faults)
        job.progress(done, total)
    return tuple(skipped)


def none_readable(records: Sequence[ImageRecord]) -> ImageError:
    """Returns the error for images of which none could be used."""
    return ImageError(f"none of the {len(records):,} images can be read; see the list above")


def _list_skipped(path: Path, skipped: Sequence[str]) -> None:
    if skipped:
        write_text(path, "".join(f"{name}\n" for name in skipped))
    else:
        path.unlink(missing_ok=True)  # from an earlier job
