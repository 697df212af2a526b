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
from apnet.embedding.new_store import check_place, check_same
from apnet.embedding.store import StoreWriter
from apnet.embedding.stream import EmbeddedBatch, EmbedOptions, embed_stream
from apnet.embedding.updates import Updates, updates_of
from apnet.errors import ApnetError, ImageError, Interrupted
from apnet.files import check_writable, write_text
from apnet.model import APNet
from apnet.progress import Progress, silent
from apnet.retrieval.files.arrays import arrays_of
from apnet.retrieval.files.formats import format_of
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

    write = format_of(out).write
    check_writable(out, 4 * job.network.feature_dim * len(job.records))
    choice = _chosen(job)
    skipped = _run(job, choice, job.records, keep, 0)
    if not kept:
        raise _none_readable(job.records)
    embeddings = Embeddings.of(np.concatenate(rows), kept, fingerprint)
    write(out, arrays_of(embeddings))
    _list_skipped(out.with_name(f"{out.name}.skipped.txt"), skipped)
    return EmbedResult(len(kept), embeddings.features.shape[1], skipped, choice)


def embed_to_store(
    job: EmbedJob,
    out: AnyPath,
    *,
    fingerprint: str,
    numbers: Numbers = "float32",
    rehash: bool = False,
) -> EmbedResult:
    """Embeds the images that a store does not contain, and appends them batch by batch.

    Images whose files were replaced since they were embedded are embedded again, in their rows.

    Args:
        job: what is embedded, and how.
        out: the store's folder, new or begun.
        fingerprint: of the network, such as its checkpoint's.
        numbers: how the store keeps features.
        rehash: whether to read the files of all rows, to find images that were replaced by others
            of the same size and time.

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

    begun = is_store(out)
    if begun:
        there = read_header(out)
        if job.compute.precision == "auto":
            job = replace(job, compute=replace(job.compute, precision=there.precision))
        check_same(out, there, header(job.compute.precision))
        with StoreWriter(out, there) as store:
            found = updates_of(store.rows, store.known, job.records, rehash=rehash)
            _tell_updates(found, job.notify)
            if found.labels:
                store.change_rows(found.labels)
            if not found.to_embed:
                return EmbedResult(len(store), there.dimensions, (), None)
    else:
        check_place(out)  # so that an unwritable place fails before the work
    choice = _chosen(job)
    with StoreWriter(out, header(choice.backend.precision)) as store:
        found = updates_of(store.rows, store.known, job.records, rehash=rehash)
        try:
            skipped = _fill(store, job, choice, found)
            if not len(store):
                raise _none_readable(job.records)
        except ApnetError:
            if not begun and not len(store):
                store.abandon()
            raise
        return EmbedResult(len(store), store.header.dimensions, skipped, choice)


def _tell_updates(found: Updates, notify: Notify) -> None:
    if found.replaced:
        notify(
            f"{len(found.replaced):,} images were replaced since they were embedded, and are "
            f"embedded again (the first: {found.replaced[0].path})"
        )
    if found.labels:
        first = next(iter(found.labels.values()))
        notify(
            f"{len(found.labels):,} images have another identity or camera than before, which is "
            f"noted (the first: {first.path})"
        )


def _fill(store: StoreWriter, job: EmbedJob, choice: Choice, found: Updates) -> tuple[str, ...]:
    def append(batch: EmbeddedBatch[ImageRecord]) -> None:
        if len(batch.records):
            store.append(batch.records, batch.features, found.marks(batch.records))
        _skip(batch)

    def replace_rows(batch: EmbeddedBatch[ImageRecord]) -> None:
        if len(batch.records):
            store.replace(batch.records, batch.features, found.marks(batch.records))
        _skip(batch)

    def _skip(batch: EmbeddedBatch[ImageRecord]) -> None:
        for record, error in batch.faults:
            store.skip(record.path, str(error))

    with _telling_how_to_continue(store, job.notify):
        if found.replaced:
            store.change_rows(found.stale(store.rows, store.known))
            skipped = _run(job, choice, found.replaced, replace_rows, len(found.new))
            store.change_rows({})
        else:
            skipped = ()
        return (*skipped, *_run(job, choice, found.new, append, 0))


@contextmanager
def _telling_how_to_continue(store: StoreWriter, notify: Notify) -> Iterator[None]:
    def state() -> str:
        return f"{store.path} has {len(store):,} images; the same command goes on from there"

    try:
        yield
    except Interrupted:
        raise Interrupted(f"interrupted; {state()}") from None
    except ApnetError:
        if len(store):
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


def _none_readable(records: Sequence[ImageRecord]) -> ImageError:
    return ImageError(f"none of the {len(records):,} images can be read; see the list above")


def _list_skipped(path: Path, skipped: Sequence[str]) -> None:
    if skipped:
        write_text(path, "".join(f"{name}\n" for name in skipped))
    else:
        path.unlink(missing_ok=True)  # from an earlier job
