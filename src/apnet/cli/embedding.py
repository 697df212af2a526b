"""``apnet embed``: from image files to a feature file or a feature store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from apnet.checkpoints import Checkpoint
from apnet.cli.terminal import progress_bar, tell
from apnet.embedding import (
    Choice,
    EmbeddedBatch,
    Manner,
    StoreWriter,
    Task,
    check_place,
    check_same,
    choose_backend,
    embed_stream,
    sample_images,
)
from apnet.errors import ApnetError, ImageError, Interrupted
from apnet.files import atomic_write, write_text
from apnet.retrieval import save_features
from apnet.retrieval.files.store import Numbers, StoreHeader, is_store, read_header
from apnet.types import Embeddings, ImageRecord


@dataclass(frozen=True)
class Wishes:
    """What the user asks of the computation."""

    device: torch.device
    """Where the network runs."""

    backend: str = "auto"
    """See ``apnet.embedding.BACKENDS``."""

    precision: str = "auto"
    """See ``apnet.embedding.PRECISIONS``."""

    numbers: Numbers = "float32"
    """How a store keeps features."""


@dataclass(frozen=True)
class Done:
    """What came of it."""

    images: int
    """With features, in the file or store."""

    dimensions: int
    """D."""

    skipped: tuple[str, ...]
    """Paths left out this time."""

    choice: Choice | None
    """How it was computed; ``None`` where nothing was left to do."""

    def computed(self) -> dict[str, Any]:
        """Returns back-end, precision and agreement, for machines."""
        if self.choice is None:
            return {"backend": None, "precision": None, "agreement": None}
        agreed = self.choice.agreement
        return {
            "backend": self.choice.backend.name,
            "precision": self.choice.backend.precision,
            "agreement": agreed
            and {"cosine": agreed.cosine, "ranks": agreed.ranks, "orders": agreed.orders},
        }


def embed_to_file(
    checkpoint: Checkpoint,
    records: Sequence[ImageRecord],
    out: Path,
    manner: Manner,
    wishes: Wishes,
) -> Done:
    """Embeds images and writes the features, and a list of the skipped images where there are any.

    Args:
        checkpoint: the network.
        records: the images.
        out: the feature file; the list goes beside it, with ``.skipped.txt`` behind its name.
        manner: how they are embedded.
        wishes: how that is computed.

    Raises:
        ImageError: an image cannot be used, or none of them can; nothing is written.
        DataError: ``out`` cannot be written.
    """
    kept: list[ImageRecord] = []
    rows: list[np.ndarray] = []
    with atomic_write(out) as part:  # opened first: what cannot be written is told before the work
        choice = _chosen(checkpoint, records, manner, wishes)

        def keep(batch: EmbeddedBatch) -> None:
            kept.extend(batch.records)
            rows.extend([batch.features] if len(batch.records) else [])

        skipped = _run(choice, records, manner, keep)
        if not kept:
            raise _none_readable(records)
        embeddings = Embeddings.of(np.concatenate(rows), kept)
        save_features(part, embeddings)
        _list_skipped(out.with_name(f"{out.name}.skipped.txt"), skipped)
    return Done(len(kept), embeddings.features.shape[1], skipped, choice)


def embed_to_store(
    checkpoint: Checkpoint,
    records: Sequence[ImageRecord],
    out: Path,
    manner: Manner,
    wishes: Wishes,
) -> Done:
    """Embeds the images that a store does not have, and appends them batch by batch.

    Args:
        checkpoint: the network.
        records: the images.
        out: the store's folder, new or begun.
        manner: how they are embedded.
        wishes: how that is computed.

    Raises:
        ConfigError: the store was made by another network or with other settings.
        ImageError: an image cannot be used, or none of them can; what was done stays.
        DataError: the store is damaged or cannot be written.
    """

    def header(precision: str) -> StoreHeader:
        return StoreHeader(
            checkpoint.fingerprint,
            manner.image_size,
            manner.flip,
            precision,
            checkpoint.network.feature_dim,
            wishes.numbers,
        )

    precision = wishes.precision
    if is_store(out):
        there = read_header(out)
        precision = there.precision if precision == "auto" else precision
        check_same(out, there, header(precision))
        with StoreWriter(out, there) as store:
            if all(str(record.path) in store.known for record in records):
                return Done(len(store), there.dimensions, (), None)
    else:
        check_place(out)  # what cannot be written is told before the work
    wishes = Wishes(wishes.device, wishes.backend, precision, wishes.numbers)
    choice = _chosen(checkpoint, records, manner, wishes)
    with StoreWriter(out, header(choice.backend.precision)) as store:
        skipped = _fill(store, choice, records, manner)
        if not len(store):
            raise _none_readable(records)
        return Done(len(store), store.header.dimensions, skipped, choice)


def _fill(
    store: StoreWriter, choice: Choice, records: Sequence[ImageRecord], manner: Manner
) -> tuple[str, ...]:
    left = [record for record in records if str(record.path) not in store.known]

    def append(batch: EmbeddedBatch) -> None:
        if len(batch.records):
            store.append(batch.records, batch.features)
        for record, error in batch.faults:
            store.skip(record.path, str(error))

    with _told_how_to_go_on(store, len(records)):
        return _run(choice, left, manner, append, before=len(records) - len(left))


@contextmanager
def _told_how_to_go_on(store: StoreWriter, total: int) -> Iterator[None]:
    def where() -> str:
        return f"{store.path} has {len(store):,} images; the same command goes on from there"

    try:
        yield
    except Interrupted:
        raise Interrupted(f"interrupted; {where()}") from None
    except ApnetError:
        tell(where())
        raise


def _chosen(
    checkpoint: Checkpoint, records: Sequence[ImageRecord], manner: Manner, wishes: Wishes
) -> Choice:
    choice = choose_backend(
        Task(checkpoint.network, manner.image_size, len(records), wishes.device),
        lambda count: sample_images(records, manner.image_size, count, threads=manner.threads),
        backend=wishes.backend,
        precision=wishes.precision,
    )
    for remark in choice.remarks:
        tell(f"not used: {remark}")
    if choice.agreement is not None:
        tell(f"computing with {choice.backend}: {choice.agreement}")
    return choice


def _run(
    choice: Choice,
    records: Sequence[ImageRecord],
    manner: Manner,
    take: Callable[[EmbeddedBatch], None],
    *,
    before: int = 0,
) -> tuple[str, ...]:
    """Hands every batch to ``take``; returns the skipped paths."""
    done, skipped = before, []
    with progress_bar("embedding") as progress:
        for batch in embed_stream(choice.backend, records, manner):
            take(batch)
            for record, error in batch.faults:
                tell(f"skipped: {error}")
                skipped.append(str(record.path))
            done += len(batch.records) + len(batch.faults)
            progress(done, before + len(records))
    return tuple(skipped)


def _none_readable(records: Sequence[ImageRecord]) -> ImageError:
    return ImageError(f"none of the {len(records):,} images can be read; see the list above")


def _list_skipped(path: Path, skipped: Sequence[str]) -> None:
    if skipped:
        write_text(path, "".join(f"{name}\n" for name in skipped))
    else:
        path.unlink(missing_ok=True)  # an earlier run's
