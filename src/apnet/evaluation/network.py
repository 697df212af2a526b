"""Embedding query and gallery of a data set, and ranking them, with the protocol card."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from apnet.config import NetworkConfig
from apnet.data.metadata import read_metadata
from apnet.data.metadata_columns import metadata_columns, twin_pairs
from apnet.embedding import (
    Embeddable,
    WantedPrecision,
    checked_precision,
    decoded_batches,
    embed_records,
)
from apnet.errors import DataError
from apnet.progress import Progress, silent
from apnet.results import APKind, Distance, Evaluation, ProtocolCard
from apnet.retrieval import (
    ImageAttributes,
    Reranking,
    Slice,
    breakdown,
    color_histogram,
    default_card,
    evaluate,
    evaluate_as,
)
from apnet.types import Embeddings, ImageRecord, ReidDataset


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What a user can choose in an evaluation."""

    distance: Distance = "cosine"
    """``cosine``, or ``euclidean`` (the same order, as embeddings are normalised)."""

    ap_kind: APKind = "hits"
    """Which average precision ``mAP`` names."""

    flip: bool = True
    """Whether the mirror image's feature is added."""

    precision: WantedPrecision = "float32"
    """Arithmetic of the network; ``auto``: bf16 where it is faster and its features agree."""

    reranking: Reranking | None = None
    """``None``: the plain ranking."""


DEFAULT = Protocol()
"""The paper's protocol: cosine, mirror image added, no re-ranking."""


def evaluate_network(
    network: Embeddable,
    config: NetworkConfig,
    dataset: ReidDataset,
    *,
    protocol: Protocol = DEFAULT,
    model: str | None = None,
    seeds: dict[str, int] | None = None,
    workers: int = 0,
    progress: Progress = silent,
) -> tuple[Evaluation, Embeddings, Embeddings]:
    """Embeds query and gallery and evaluates them (section IV-A).

    Args:
        network: on the device where it runs.
        config: of the network; its image size is used, and its feature is named on the card.
        dataset: its query and gallery are used.
        protocol: distance, kind of AP, mirror image, arithmetic, re-ranking.
        model: name and fingerprint for the card.
        seeds: seeds for the card.
        workers: threads that decode beside the network; 0 and 1 both mean one.
        progress: called with (images done, images in all), then from the start again while
            re-ranking.

    Returns:
        The metrics, and the embeddings of query and gallery. The card names the arithmetic that was
        used; a warning says where ``auto`` could not use bf16.

    Raises:
        DataError: no query or gallery, or no query has a match.
    """
    records = _test_records(dataset)
    precision = checked_precision(protocol.precision, network, records, config.image_size)
    embeddings = embed_records(
        network,
        records,
        config.image_size,
        flip=protocol.flip,
        precision=precision,
        workers=workers,
        progress=progress,
    )
    query, gallery = split_embeddings(embeddings, len(dataset.query))
    card = _card(
        dataset,
        query,
        gallery,
        distance=protocol.distance,
        ap_kind=protocol.ap_kind,
        feature=config.feature,
        flip=protocol.flip,
        image_size=config.image_size,
        precision=precision,
        model=model,
        seeds=seeds or {},
    )
    shown = silent if protocol.reranking is None else progress  # ranking is quick beside embedding
    evaluation = evaluate_as(
        query, gallery, card=card, reranking=protocol.reranking, progress=shown
    )
    return evaluation, query, gallery


def break_down(
    dataset: ReidDataset, query: Embeddings, gallery: Embeddings, card: ProtocolCard
) -> list[Slice]:
    """Evaluates slices of the queries, by the properties in the data set's ``metadata.jsonl``.

    Args:
        dataset: the data set whose query and gallery were embedded.
        query: embeddings of its query, in the order of the records.
        gallery: embeddings of its gallery, in the order of the records.
        card: the protocol of the evaluation.

    Returns:
        The slices that contain a query; none if the data set has no such file.

    Raises:
        DataError: the file is damaged.
    """
    metadata = read_metadata(dataset.root) if dataset.root.is_dir() else None
    if metadata is None or not metadata.images:
        return []
    facts = [
        ImageAttributes(**metadata_columns(metadata, dataset.root, records))
        for records in (dataset.query, dataset.gallery)
    ]
    return breakdown(query, gallery, (facts[0], facts[1]), twin_pairs(metadata), card)


def evaluate_histogram(
    dataset: ReidDataset, image_size: tuple[int, int], progress: Progress = silent
) -> Evaluation:
    """Evaluates the colour-histogram baseline, which compares the colours of clothes.

    Args:
        dataset: its query and gallery are used.
        image_size: H and W in pixels that the images are resized to.
        progress: called with (images done, images in all).

    Raises:
        DataError: no query or gallery, or no query has a match.
    """
    records = _test_records(dataset)
    rows: list[np.ndarray] = []
    for batch in decoded_batches(records, image_size):
        rows.append(color_histogram(batch.images().numpy()))
        progress(sum(map(len, rows)), len(records))
    embeddings = Embeddings.of(np.concatenate(rows), records)
    query, gallery = split_embeddings(embeddings, len(dataset.query))
    card = _card(dataset, query, gallery, feature="histogram", flip=False, image_size=image_size)
    return evaluate(query, gallery, card=card)


def split_embeddings(embeddings: Embeddings, count: int) -> tuple[Embeddings, Embeddings]:
    """Returns the first ``count`` rows and the others, without copying."""
    return embeddings[:count], embeddings[count:]


def _test_records(dataset: ReidDataset) -> Sequence[ImageRecord]:
    if not dataset.query or not dataset.gallery:
        raise DataError(
            f"{dataset.root}: {dataset.name} has {len(dataset.query)} query and "
            f"{len(dataset.gallery)} gallery images; an evaluation needs both"
        )
    return (*dataset.query, *dataset.gallery)


def _card(
    dataset: ReidDataset, query: Embeddings, gallery: Embeddings, **choices: Any
) -> ProtocolCard:
    card = default_card(query, gallery)
    described = {"name": dataset.name, **card.data, "notes": list(dataset.notes)}
    return dataclasses.replace(card, data=described, **choices)
