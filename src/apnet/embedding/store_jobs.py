"""The job that fills a feature store, batch by batch, and brings one up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from apnet.arguments import AnyPath, as_path
from apnet.embedding.choice import Choice
from apnet.embedding.jobs import (
    EmbedJob,
    EmbedResult,
    Notify,
    choose_engine,
    none_readable,
    run_job,
)
from apnet.embedding.marks import FileMark
from apnet.embedding.new_store import check_place, check_same
from apnet.embedding.store import StoreWriter
from apnet.embedding.stream import EmbeddedBatch
from apnet.embedding.updates import Updates, updates_of
from apnet.errors import ApnetError, Interrupted
from apnet.retrieval.files.formats import is_store
from apnet.retrieval.files.store import Numbers, StoreHeader, read_header
from apnet.types import ImageRecord

Write = Callable[[Sequence[ImageRecord], NDArray[np.floating], Sequence[FileMark]], None]
"""Puts records, features and marks into a store."""


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

    if is_store(out):
        there = read_header(out)
        if job.compute.precision == "auto":
            job = replace(job, compute=replace(job.compute, precision=there.precision))
        check_same(out, there, header(job.compute.precision))
        with StoreWriter(out, there) as store:
            return _update(store, job, rehash=rehash)
    check_place(out)  # so that an unwritable place fails before the work
    choice = choose_engine(job)
    with StoreWriter(out, header(choice.backend.precision)) as store:
        return _begin(store, job, choice)


def _update(store: StoreWriter, job: EmbedJob, *, rehash: bool) -> EmbedResult:
    """Embeds what a store with rows does not contain, or contains with another content."""
    if store.remains:
        job.notify(
            f"{store.path}: {store.remains:,} features had no row, as after an interruption; they "
            "are removed, and their images embedded again"
        )
    found = updates_of(store.rows, store.known, job.records, rehash=rehash)
    _tell_updates(found, job.notify)
    if found.labels:
        store.change_rows(found.labels)
    if not found.to_embed:
        return EmbedResult(len(store), store.header.dimensions, (), None)
    choice = choose_engine(job)
    check_same(store.path, store.header, replace(store.header, precision=choice.backend.precision))
    return _filled(store, job, choice, found)


def _begin(store: StoreWriter, job: EmbedJob, choice: Choice) -> EmbedResult:
    """Fills a new store; one without rows is removed after an error."""
    try:
        found = updates_of(store.rows, store.known, job.records, rehash=False)
        return _filled(store, job, choice, found)
    except ApnetError:
        if not len(store):
            store.abandon()
        raise


def _filled(store: StoreWriter, job: EmbedJob, choice: Choice, found: Updates) -> EmbedResult:
    skipped = _fill(store, job, choice, found)
    if not len(store):
        raise none_readable(job.records)
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
    def keep(write: Write, batch: EmbeddedBatch[ImageRecord]) -> None:
        if len(batch.records):
            write(batch.records, batch.features, found.marks(batch.records))
        for record, error in batch.faults:
            store.skip(record.path, str(error))

    skipped: tuple[str, ...] = ()
    with _telling_how_to_continue(store, job.notify):
        if found.replaced:
            store.change_rows(found.stale(store.rows, store.known))
            again = partial(keep, store.replace)
            skipped = run_job(job, choice, found.replaced, again, len(found.new))
            store.change_rows({})
        return (*skipped, *run_job(job, choice, found.new, partial(keep, store.append), 0))


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
