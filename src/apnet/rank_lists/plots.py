"""Rank lists of an evaluation as pictures: the worst, the median, some at random."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from apnet.arguments import AnyPath, as_path, described
from apnet.checkpoints import Checkpoint
from apnet.data.pages import save_picture
from apnet.errors import ConfigError, DataError
from apnet.evaluation.verb import Measured, as_features, evaluate, is_feature_source, measure
from apnet.model import APNet
from apnet.models import Model, as_model
from apnet.progress import Progress, silent
from apnet.rank_lists.rank_sheet import RankRow, draw_rank_rows
from apnet.rank_lists.results import SearchResult
from apnet.rank_lists.search import pictures_of
from apnet.results import Evaluation
from apnet.retrieval import top_matches
from apnet.types import Embeddings, ReidDataset

QUERIES = 8
"""Queries in one picture."""

_SEED = 0


def plot_ranks(
    subject: Model | Checkpoint | APNet | SearchResult | Measured | Embeddings | AnyPath | None,
    data: ReidDataset | Embeddings | AnyPath | None = None,
    *,
    choose: str = "worst",
    queries: int = QUERIES,
    k: int = 10,
    out: AnyPath | None = None,
    progress: Progress = silent,
) -> Image.Image:
    """Draws rank lists: queries with the gallery images nearest to them.

    Right images have a tick and a solid frame, wrong ones a cross and a broken frame; images that
    the protocol ignores are not shown.

    Args:
        subject: a search result, or anything that ``evaluate`` takes.
        data: as for ``evaluate``; none for a search result.
        choose: which queries: ``worst`` (lowest average precision first), ``median`` (those around
            it), or ``random`` (always the same ones).
        queries: how many at most, 1 or more.
        k: images per query, 1 or more.
        out: a file to write the picture to as well, such as ``ranks.png``.
        progress: as for ``evaluate``.

    Returns:
        The picture, white and 8 bits RGB.

    Raises:
        TypeError: an argument is of a type that is not taken.
        ConfigError: a count is below 1, or ``choose`` is unknown.
        ApnetError: as for ``evaluate``; or the file cannot be written.
    """
    if queries < 1 or k < 1:
        raise ConfigError(f"queries = {queries}, k = {k}: both must be 1 or more")
    if isinstance(subject, SearchResult):
        if data is not None:
            raise ConfigError("a search result has its gallery; leave data out")
        picture = subject.plot(range(min(len(subject), queries)))
    else:
        measured = _measured(subject, data, progress)
        picture = draw_rank_rows(_rows(measured, _chosen(measured, choose, queries), k))
    if out is not None:
        save_picture(picture, as_path(out, "out"))
    return picture


def write_rank_lists(measured: Measured, folder: Path, k: int = 10) -> tuple[Path, ...]:
    """Writes ``worst.png``, ``median.png`` and ``random.png`` of an evaluation.

    Args:
        measured: see ``apnet.evaluation.measure``.
        folder: is made where it is missing.
        k: images per query.

    Raises:
        DataError: the folder cannot be written, or the features did not come from files.
    """
    written = []
    for choice in CHOICES:
        rows = _rows(measured, _chosen(measured, choice, QUERIES), k)
        written.append(folder / f"{choice}.png")
        save_picture(draw_rank_rows(rows), written[-1])
    return tuple(written)


def _measured(subject: Any, data: Any, progress: Progress) -> Measured:
    if isinstance(subject, Measured):
        return subject
    if data is None:
        raise TypeError(
            "plot_ranks takes a search result, or what evaluate takes: a model and a data set, or "
            f"features of query and gallery; got {described(subject)} alone"
        )
    if is_feature_source(subject):
        query, gallery = as_features(subject, "query"), as_features(data, "gallery")
        return Measured(evaluate(query, gallery), query, gallery)
    return measure(as_model(subject), data, progress=progress)


def _rows(measured: Measured, chosen: Sequence[int], k: int) -> list[RankRow]:
    if not (measured.query.paths and measured.gallery.paths):
        raise DataError(
            "there are no pictures of these features: they have no paths; embed the image files "
            "with apnet, or save the array 'paths' with the features"
        )
    query = measured.query[list(chosen)]
    rule = measured.evaluation.card.junk_rule
    distance = measured.evaluation.card.distance
    matches = top_matches(query, measured.gallery, k, distance=distance, junk_rule=rule)
    pictures = pictures_of(query), pictures_of(measured.gallery)
    result = SearchResult(query, measured.gallery, matches, *pictures)
    return [
        dataclasses.replace(
            result.ranked(row), title=_title(measured.evaluation, index, result, row)
        )
        for row, index in enumerate(chosen)
    ]


def _title(evaluation: Evaluation, index: int, result: SearchResult, row: int) -> str:
    precision = evaluation.average_precision[index]
    first = int(evaluation.first_match[index])
    return f"AP {precision:.1%}, first right image at rank {first}: {result.query.paths[row]}"


def _worst(order: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return order[:count]


def _median(order: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    start = max((len(order) - count) // 2, 0)
    return order[start : start + count]


def _random(order: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    shuffled = np.random.default_rng(_SEED).permutation(np.sort(order))
    return np.sort(shuffled[:count])


CHOICES = {"worst": _worst, "median": _median, "random": _random}
"""Which queries a picture shows, by name; each takes the queries from worst to best."""


def _chosen(measured: Measured, choose: str, count: int) -> list[int]:
    if choose not in CHOICES:
        raise ConfigError(f"choose = '{choose}': there are {', '.join(CHOICES)}")
    precision = measured.evaluation.average_precision
    order = np.argsort(precision, kind="stable")  # NaN, the queries without a match, sort last
    chosen = CHOICES[choose](order[: measured.evaluation.valid_queries], count)
    return [int(query) for query in chosen]
