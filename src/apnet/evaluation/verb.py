"""One verb for everything that can be evaluated: networks, checkpoints, runs, features."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from apnet.arguments import AnyPath, as_path, described
from apnet.checkpoints import Checkpoint
from apnet.data import load_source
from apnet.devices import choose_device
from apnet.display import summarised
from apnet.embedding import WantedPrecision
from apnet.errors import ConfigError
from apnet.evaluation.network import DEFAULT, Protocol, break_down, evaluate_network
from apnet.model import APNet
from apnet.models import AnyDevice, Model, as_model
from apnet.progress import Progress, silent
from apnet.results import APKind, Distance, Evaluation, ProtocolCard
from apnet.retrieval import (
    Reranking,
    Slice,
    default_card,
    evaluate_as,
    load_features,
)
from apnet.retrieval.files.formats import is_features
from apnet.retrieval.files.names import Part
from apnet.types import Embeddings, ReidDataset, check_same_network


@summarised
@dataclasses.dataclass(frozen=True, repr=False)
class Measured:
    """An evaluation with what it was computed from.

    Attributes:
        evaluation: the metrics and their protocol.
        query: embeddings of the queries.
        gallery: embeddings of the gallery.
        slices: figures of parts of the queries, where the data set tells their properties.
    """

    evaluation: Evaluation
    query: Embeddings
    gallery: Embeddings
    slices: tuple[Slice, ...] = ()


def evaluate(
    subject: Model | Checkpoint | APNet | Embeddings | AnyPath | None,
    data: ReidDataset | Embeddings | AnyPath,
    *,
    card: ProtocolCard | None = None,
    distance: Distance | None = None,
    ap_kind: APKind | None = None,
    flip: bool | None = None,
    precision: WantedPrecision | None = None,
    rerank: Reranking | None = None,
    device: AnyDevice | None = None,
    image_size: tuple[int, int] | None = None,
    workers: int = 0,
    progress: Progress = silent,
) -> Evaluation:
    """Evaluates a network on a data set, or features of queries on features of a gallery.

    Args:
        subject: a model, checkpoint, network, run folder or checkpoint file (``None``: the shipped
            network); or the queries' ``Embeddings`` or feature file.
        data: of a network: a data set or ``NAME=DIR``; of features: the gallery's ``Embeddings`` or
            feature file.
        card: of features: the whole protocol, in place of the next two.
        distance: ``cosine`` (by default) or ``euclidean``.
        ap_kind: which average precision ``mAP`` names: ``hits`` (by default) or ``trapezoidal``.
        flip: of a network: whether the mirror image's feature is added; it is by default.
        precision: of a network: ``float32`` (by default), ``bf16``, or ``auto``: bf16 where that
            is faster and agrees; the card names what was used.
        rerank: settings of k-reciprocal re-ranking; ``None``: the plain ranking.
        device: where a network runs, by default where it is; for features, where they are
            screened, see ``apnet.retrieval.evaluate``.
        image_size: of a network that does not say its own: height and width in pixels.
        workers: threads that decode beside the network; 0 and 1 both mean one.
        progress: called with (images done, images in all), then from the start again while
            re-ranking.

    Returns:
        The metrics with their protocol.

    Raises:
        TypeError: an argument is of a type that is not taken.
        ConfigError: an argument that does not belong to what is evaluated.
        CheckpointError: the checkpoint is missing or damaged.
        DataError: the data set or features cannot be used, come from two networks, or no query has
            a match.
    """
    own = {"flip": flip, "precision": precision, "image_size": image_size}
    if is_feature_source(subject):
        _refuse(own, "a network; features are given")
        if card is not None:
            _refuse({"distance": distance, "ap_kind": ap_kind}, "an evaluation without card=")
        return _of_features(
            subject, data, card, distance or "cosine", ap_kind or "hits", rerank, device, progress
        ).evaluation
    _refuse({"card": card}, "features; a network's card is made from the other arguments")
    protocol = Protocol(
        distance or "cosine",
        ap_kind or "hits",
        True if flip is None else flip,
        precision or "float32",
        rerank,
    )
    model = as_model(subject, image_size=image_size)  # type: ignore[arg-type]
    return measure(
        model, data, device=device, protocol=protocol, workers=workers, progress=progress
    ).evaluation


def measure(
    model: Model,
    data: ReidDataset | AnyPath | Any,
    *,
    device: AnyDevice | None = None,
    protocol: Protocol = DEFAULT,
    workers: int = 0,
    progress: Progress = silent,
) -> Measured:
    """Evaluates a model as a whole and by slices, and keeps the embeddings.

    There are no slices of a re-ranked evaluation, as they would be those of the plain ranking.

    Args:
        model: the model; its card names its fingerprint and training seed.
        data: a data set or ``NAME=DIR``.
        device: the model is moved there; ``None``: it stays where it is.
        protocol: distance, kind of AP, mirror image, arithmetic, re-ranking.
        workers: threads that decode beside the network; 0 and 1 both mean one.
        progress: as for ``evaluate``.

    Raises:
        TypeError: the data is of another type.
        DataError: no query or gallery, no query has a match, or damaged metadata.
    """
    dataset = as_dataset(data)
    model.to(model.device if device is None else device)
    seed = model.facts.get("seed")
    evaluation, query, gallery = evaluate_network(
        model.embedder,
        model.config,
        dataset,
        protocol=protocol,
        model=f"{model.path} sha256:{model.fingerprint}",
        seeds={} if seed is None else {"training": int(seed)},
        workers=workers,
        progress=progress,
    )
    query, gallery = (
        dataclasses.replace(each, fingerprint=model.fingerprint) for each in (query, gallery)
    )
    if protocol.reranking is not None:
        return Measured(evaluation, query, gallery)
    slices = break_down(dataset, query, gallery, evaluation.card)
    return Measured(evaluation, query, gallery, tuple(slices))


def evaluate_checkpoint(
    checkpoint: Checkpoint | Model,
    dataset: ReidDataset,
    *,
    device: AnyDevice | None = None,
    protocol: Protocol = DEFAULT,
    workers: int = 0,
    progress: Progress = silent,
) -> Evaluation:
    """Evaluates a checkpoint; ``evaluate`` under its earlier name, with a ``Protocol``."""
    return measure(
        as_model(checkpoint),
        dataset,
        device=device,
        protocol=protocol,
        workers=workers,
        progress=progress,
    ).evaluation


def as_dataset(data: Any) -> ReidDataset:
    """Returns a data set, loaded where it is named as ``NAME=DIR``.

    Raises:
        TypeError: it is of another type.
        ApnetError: see ``load_source``.
    """
    if isinstance(data, ReidDataset):
        return data
    if isinstance(data, str | os.PathLike):
        return load_source(os.fspath(data))
    raise TypeError(
        "a network is evaluated on a ReidDataset or 'NAME=DIR', such as 'market1501=DIR'; got "
        f"{described(data)}"
    )


def is_feature_source(subject: Any) -> bool:
    """Returns whether something is embeddings, a feature file or a feature store."""
    if isinstance(subject, Embeddings):
        return True
    return isinstance(subject, str | os.PathLike) and is_features(as_path(subject, "subject"))


def as_features(source: Any, part: Part) -> Embeddings:
    """Returns embeddings, read where they are named.

    Args:
        source: embeddings, or the path of a feature file or store.
        part: what they are for: ``query`` or ``gallery``; a file with both gives that half.

    Raises:
        TypeError: it is neither.
        DataError: see ``load_features``.
    """
    if isinstance(source, Embeddings):
        return source
    if isinstance(source, str | os.PathLike):
        return load_features(as_path(source, part), part)
    raise TypeError(
        f"{part} must be Embeddings, or the path of a feature file or store; got "
        f"{described(source)}"
    )


def _of_features(
    query: Any,
    gallery: Any,
    card: ProtocolCard | None,
    distance: Distance,
    ap_kind: APKind,
    rerank: Reranking | None,
    device: AnyDevice | None,
    progress: Progress,
) -> Measured:
    queries, items = as_features(query, "query"), as_features(gallery, "gallery")
    check_same_network((queries.fingerprint, items.fingerprint))
    card = card or default_card(queries, items, distance=distance, ap_kind=ap_kind)
    if rerank is not None:
        _refuse({"device": device}, "a plain ranking; re-ranking chooses it itself")
    where = "auto" if device is None else str(choose_device(device))
    found = evaluate_as(
        queries, items, card=card, reranking=rerank, device=where, progress=progress
    )
    return Measured(found, queries, items)


def _refuse(given: dict[str, Any], belongs: str) -> None:
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise ConfigError(f"{', '.join(named)}= is for {belongs}; leave it out")
