"""Embedding jobs: from image files to a feature file or a feature store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from apnet.arguments import AnyPath, as_path
from apnet.display import summarised
from apnet.embedding.agreement import sample_images
from apnet.embedding.choice import Choice, choose_backend
from apnet.embedding.engines import Task
from apnet.embedding.store import StoreWriter, check_place, check_same
from apnet.embedding.stream import EmbeddedBatch, EmbedOptions, embed_stream
from apnet.errors import ApnetError, ImageError, Interrupted
from apnet.files import atomic_write, write_text
from apnet.model import APNet
from apnet.progress import Progress, silent
from apnet.retrieval.files.arrays import arrays_of
from apnet.retrieval.files.npz import write_npz
from apnet.retrieval.files.store import Numbers, StoreHeader, is_store, read_header
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

    network: APNet
    """In evaluation mode; it is moved to the device."""

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

    with atomic_write(out) as part:  # opened first, so that an unwritable place fails at once
        choice = _chosen(job)
        skipped = _run(job, choice, job.records, keep)
        if not kept:
            raise _none_readable(job.records)
        embeddings = Embeddings.of(np.concatenate(rows), kept, fingerprint)
        write_npz(part, arrays_of(embeddings))
        _list_skipped(out.with_name(f"{out.name}.skipped.txt"), skipped)
    return EmbedResult(len(kept), embeddings.features.shape[1], skipped, choice)


def embed_to_store(
    job: EmbedJob, out: AnyPath, *, fingerprint: str, numbers: Numbers = "float32"
) -> EmbedResult:
    """Embeds the images that a store does not contain, and appends them batch by batch.

    Args:
        job: what is embedded, and how.
        out: the store's folder, new or begun.
        fingerprint: of the network, such as its checkpoint's.
        numbers: how the store keeps features.

    Raises:
        ConfigError: the store was made by another network or with other settings.
        ImageError: an image cannot be used, or none of them can; finished batches stay.
        DataError: the store is damaged, in use by another process, or cannot be written.
    """
    out = as_path(out, "out")
    network, options = job.network, job.options

    def header(precision: str) -> StoreHeader:
        return StoreHeader(
            fingerprint, options.image_size, options.flip, precision, network.feature_dim, numbers
        )

    if is_store(out):
        there = read_header(out)
        if job.compute.precision == "auto":
            job = replace(job, compute=replace(job.compute, precision=there.precision))
        check_same(out, there, header(job.compute.precision))
        with StoreWriter(out, there) as store:
            if all(str(record.path) in store.known for record in job.records):
                return EmbedResult(len(store), there.dimensions, (), None)
    else:
        check_place(out)  # so that an unwritable place fails before the work
    choice = _chosen(job)
    with StoreWriter(out, header(choice.backend.precision)) as store:
        skipped = _fill(store, job, choice)
        if not len(store):
            raise _none_readable(job.records)
        return EmbedResult(len(store), store.header.dimensions, skipped, choice)


def _fill(store: StoreWriter, job: EmbedJob, choice: Choice) -> tuple[str, ...]:
    left = [record for record in job.records if str(record.path) not in store.known]

    def append(batch: EmbeddedBatch[ImageRecord]) -> None:
        if len(batch.records):
            store.append(batch.records, batch.features)
        for record, error in batch.faults:
            store.skip(record.path, str(error))

    with _telling_how_to_continue(store, job.notify):
        return _run(job, choice, left, append)


@contextmanager
def _telling_how_to_continue(store: StoreWriter, notify: Notify) -> Iterator[None]:
    def state() -> str:
        return f"{store.path} has {len(store):,} images; the same command goes on from there"

    try:
        yield
    except Interrupted:
        raise Interrupted(f"interrupted; {state()}") from None
    except ApnetError:
        notify(state())
        raise


def _chosen(job: EmbedJob) -> Choice:
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


def _run(
    job: EmbedJob,
    choice: Choice,
    left: Sequence[ImageRecord],
    take: Callable[[EmbeddedBatch[ImageRecord]], None],
) -> tuple[str, ...]:
    """Embeds the images that are left and calls ``take`` per batch; returns the skipped paths."""
    total = len(job.records)
    done, skipped = total - len(left), []
    for batch in embed_stream(choice.backend, left, job.options):
        take(batch)
        for record, error in batch.faults:
            job.notify(f"skipped: {error}")
            skipped.append(str(record.path))
        done += len(batch.records) + len(batch.faults)
        job.progress(done, total)
    return tuple(skipped)


def _none_readable(records: Sequence[ImageRecord]) -> ImageError:
    return ImageError(f"none of the {len(records):,} images can be read; see the list above")


def _list_skipped(path: Path, skipped: Sequence[str]) -> None:
    if skipped:
        write_text(path, "".join(f"{name}\n" for name in skipped))
    else:
        path.unlink(missing_ok=True)  # from an earlier job
