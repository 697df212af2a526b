"""Search a gallery for the people in pictures."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from apnet.arguments import AnyPath, as_path
from apnet.checkpoints import Checkpoint
from apnet.embedding.inputs import ImageInput, image_inputs
from apnet.embedding.stream import EmbedOptions
from apnet.errors import ConfigError, DataError
from apnet.evaluation.verb import is_feature_source
from apnet.model import APNet
from apnet.models import Model, as_model, embed_inputs
from apnet.progress import Progress, silent
from apnet.rank_lists.results import SearchResult
from apnet.rank_lists.thumbnails import file_thumbnail, input_thumbnail
from apnet.retrieval import Matches, load_features, top_matches
from apnet.retrieval.files.formats import is_store
from apnet.retrieval.files.store import read_header
from apnet.types import JUNK_PID, NO_CAMERA, Embeddings, ReidDataset

Pictures = Callable[[int], Image.Image | None]
"""Returns the image of a row, ``None`` where there is none."""


def search(
    model: Model | Checkpoint | APNet | AnyPath | None,
    query: Any,
    gallery: Any,
    *,
    k: int = 10,
    bgr: bool = False,
    flip: bool | None = None,
    workers: int = 0,
    progress: Progress = silent,
    notify: Callable[[str], None] = warnings.warn,
) -> SearchResult:
    """Finds the gallery images that are most like pictures of people.

    A similarity is no identification: the nearest image is found also where the person is not in
    the gallery. A query that is itself a file of the gallery is not found again.

    Args:
        model: as for ``load_model``; ``None`` for the shipped network.
        query: what ``Model.embed`` takes, or ``Embeddings`` of this model.
        gallery: a folder, images or anything that ``Model.embed`` takes, a data set (its gallery
            is searched), or ``Embeddings``, a feature file or a store of this model. A gallery that
            is searched often is embedded once: ``apnet embed FOLDER --out STORE``.
        k: images per query, 1 or more; there may be fewer in the gallery.
        bgr: whether numpy arrays are BGR.
        flip: whether the mirror image's feature is added; by default as the store was made, else
            yes.
        workers: threads that decode beside the network; 0 and 1 both mean one.
        progress: called with (images done, images in all) while the gallery is embedded.
        notify: told about files that are left out; a warning by default.

    Returns:
        The hits of each query, nearest first; equal ones in gallery order.

    Raises:
        TypeError: an argument is of a type that is not taken.
        ConfigError: k is below 1.
        DataError: an image or feature file cannot be used, or the gallery is of another network.

    Example:
        >>> import numpy, apnet
        >>> crops = numpy.random.default_rng(0).integers(0, 256, (5, 64, 32, 3), numpy.uint8)
        >>> found = apnet.search(None, crops[2], gallery=crops, k=3)
        >>> [hit.row for hit in found[0]][0]
        2
    """
    if not isinstance(k, int) or isinstance(k, bool):
        raise TypeError(f"k must be a whole number of images, got {k!r}")
    if k < 1:
        raise ConfigError(f"k = {k}: search for 1 image or more")
    loaded = as_model(model)
    items = _Side(loaded, bgr, _flip(gallery, flip, loaded), workers, notify)
    found, found_images = items.gallery(gallery, progress)
    asked, asked_images = items.query(query)
    for name, each in (("query", asked), ("gallery", found)):
        _check_network(name, each, loaded)
    same = _same_files(asked, found)
    matches = top_matches(
        dataclasses.replace(asked, pids=np.full_like(asked.pids, JUNK_PID)),
        _anonymous(found),
        min(k + max(map(len, same), default=0), max(len(found), 1)),
        junk_rule="none",
    )
    others = _without(matches, same, k)
    return SearchResult(asked, found, others, asked_images, found_images)


@dataclasses.dataclass(frozen=True)
class _Side:
    """How both sides of a search are embedded."""

    model: Model
    bgr: bool
    flip: bool
    workers: int
    notify: Callable[[str], None]

    def query(self, query: Any) -> tuple[Embeddings, Pictures]:
        if isinstance(query, Embeddings):
            return query, pictures_of(query)
        return self._embedded(query, silent)

    def gallery(self, gallery: Any, progress: Progress) -> tuple[Embeddings, Pictures]:
        if isinstance(gallery, ReidDataset):
            gallery = gallery.gallery
        if isinstance(gallery, Embeddings):
            return gallery, pictures_of(gallery)
        if is_feature_source(gallery):
            features = load_features(as_path(gallery, "gallery"), "gallery")
            return features, pictures_of(features)
        return self._embedded(gallery, progress)

    def _embedded(self, images: Any, progress: Progress) -> tuple[Embeddings, Pictures]:
        has_arrays = any(
            isinstance(each, np.ndarray)
            for each in (images if isinstance(images, list | tuple) else [images])
        )
        inputs = image_inputs(images, bgr=self.bgr and has_arrays, notify=self.notify)
        options = EmbedOptions(self.model.image_size, self.flip, threads=max(self.workers, 1))
        embedded = embed_inputs(self.model, inputs, options, "float32", progress)
        return embedded, _pictures_of_inputs(inputs)


def pictures_of(embeddings: Embeddings) -> Pictures:
    """Returns the pictures of the files that embeddings came from."""
    paths = embeddings.paths
    return lambda row: file_thumbnail(paths[row]) if paths else None


def _pictures_of_inputs(inputs: Sequence[ImageInput]) -> Pictures:
    return lambda row: input_thumbnail(inputs[row])


def _flip(gallery: Any, wanted: bool | None, model: Model) -> bool:
    """Returns whether mirror images are added; a store says whether its own were."""
    if not isinstance(gallery, str | os.PathLike) or not is_store(as_path(gallery, "gallery")):
        return True if wanted is None else wanted
    header = read_header(as_path(gallery, "gallery"))
    if wanted is not None and wanted != header.flip:
        raise ConfigError(
            f"flip={wanted}: {gallery} was made with flip={header.flip}; leave flip out, or embed "
            "the images again"
        )
    if tuple(header.image_size) != model.image_size:
        raise DataError(
            f"{gallery}: made at {header.image_size}, this network takes {model.image_size}; embed "
            "the images again"
        )
    return header.flip


def _check_network(side: str, embeddings: Embeddings, model: Model) -> None:
    if embeddings.fingerprint not in (None, model.fingerprint):
        raise DataError(
            f"the {side} was embedded by network {embeddings.fingerprint}, and this model is "
            f"{model.fingerprint}; search with the network that made it, or embed it again"
        )
    width = embeddings.features.shape[1]
    if width != model.embedder.feature_dim:
        raise DataError(
            f"the {side} has features of {width} numbers, this model's have "
            f"{model.embedder.feature_dim}; embed it again with this network"
        )


def _same_files(query: Embeddings, gallery: Embeddings) -> list[list[int]]:
    """Returns for each query the gallery rows of the very same file."""
    rows: dict[Path, list[int]] = {}
    for row, path in enumerate(gallery.paths if query.paths else ()):
        rows.setdefault(Path(path).absolute(), []).append(row)
    return [rows.get(Path(path).absolute(), []) for path in query.paths] or [[]] * len(query)


def _without(matches: Matches, same: Sequence[Sequence[int]], k: int) -> Matches:
    """Returns at most k matches of each query, those in the same file left out."""
    drop = np.array(
        [np.isin(found, own) for found, own in zip(matches.indices, same, strict=True)]
    ).reshape(matches.indices.shape)
    order = np.argsort(drop, axis=1, kind="stable")[:, :k]
    gone = np.take_along_axis(drop, order, axis=1)
    indices, similarity, correct = (
        np.take_along_axis(values, order, axis=1)
        for values in (matches.indices, matches.similarity, matches.correct)
    )
    return Matches(np.where(gone, -1, indices), np.where(gone, np.nan, similarity), correct & ~gone)


def _anonymous(gallery: Embeddings) -> Embeddings:
    """Returns the gallery as one identity without cameras, so that no image is ignored."""
    return dataclasses.replace(
        gallery,
        pids=np.zeros_like(gallery.pids),
        camids=np.full_like(gallery.camids, NO_CAMERA),
    )
