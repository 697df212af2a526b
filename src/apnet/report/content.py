"""The content of a report as validated values, from which ``write_report`` makes the page.

All metrics (mAP, CMC, AP) are fractions from 0 to 1 here and percentages on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from apnet.errors import DataError
from apnet.results import Evaluation


@dataclass(frozen=True, eq=False)
class SystemResult:
    """The result of one system: a row of the results table and a CMC curve.

    Attributes:
        key: short, stable name for ``metrics.json``, such as ``"pyramid"``.
        name: displayed name, such as ``"APNet-C2 (pyramid)"``.
        description: short description of the system.
        evaluation: its metrics with their protocol.
        seconds: wall-clock time in seconds, or ``None``.

    Raises:
        DataError: on construction, when a metric is not a fraction from 0 to 1.
    """

    key: str
    name: str
    description: str
    evaluation: Evaluation
    seconds: float | None = None

    def __post_init__(self) -> None:
        result = self.evaluation
        for key, value in result.values.items():
            _check_share(f"{key} of the system '{self.name}'", value)
        if not len(result.cmc):
            raise DataError(f"the CMC of the system '{self.name}' is empty; evaluate it first")
        for value in (result.cmc.min(), result.cmc.max()):
            _check_share(f"the CMC of the system '{self.name}'", float(value))


@dataclass(frozen=True, eq=False)
class TrainingCurve:
    """Loss and mAP of one training run.

    Attributes:
        name: any name; a system's name gives the curve that system's line style.
        epochs: N positions on the axis in epochs, ascending.
        loss: N values of the total loss (Eq. 9).
        mAP: epoch and mAP of each evaluation; may be empty.

    Raises:
        DataError: on construction, when lengths differ or a value is not finite.
    """

    name: str
    epochs: Sequence[float]
    loss: Sequence[float]
    mAP: Sequence[tuple[float, float]] = ()  # noqa: N815 - the field's own name

    def __post_init__(self) -> None:
        if not len(self.epochs) or len(self.epochs) != len(self.loss):
            raise DataError(
                f"the training curve '{self.name}' has {len(self.epochs)} epochs and "
                f"{len(self.loss)} losses; give as many of each, at least one"
            )
        if not (np.isfinite(self.epochs).all() and np.isfinite(self.loss).all()):
            raise DataError(
                f"the training curve '{self.name}' contains NaN or infinity; end it before that"
            )
        for _, share in self.mAP:
            _check_share(f"mAP of the training curve '{self.name}'", share)


@dataclass(frozen=True)
class RankedGallery:
    """One query and the first images of its ranking.

    Attributes:
        chosen: the reason for showing this query, such as ``"Highest AP"``.
        query: the query's image file.
        matches: gallery image files, best first; the page shows the first ten.
        correct: whether each of them shows the query's person.
        similarity: cosine similarity (or another; higher is nearer) of each of them.
        average_precision: of the query's whole ranking.
        query_label: text below the query, such as ``"person 7, camera 2"``.
        match_labels: text below each gallery image.

    Raises:
        DataError: on construction, when the lengths differ or the AP is not a fraction.
    """

    chosen: str
    query: Path
    matches: tuple[Path, ...]
    correct: tuple[bool, ...]
    similarity: tuple[float, ...]
    average_precision: float
    query_label: str
    match_labels: tuple[str, ...]

    def __post_init__(self) -> None:
        lengths = [
            len(self.matches),
            len(self.correct),
            len(self.similarity),
            len(self.match_labels),
        ]
        if not lengths[0] or len(set(lengths)) > 1:
            raise DataError(
                f"query {self.query.name}: matches, correct, similarity and match_labels must have "
                f"one length of at least 1, got {lengths}"
            )
        _check_share(f"the AP of query {self.query.name}", self.average_precision)


@dataclass(frozen=True, eq=False)
class AttentionPanel:
    """Heat maps of one person: a row of the attention figure (like Fig. 6).

    Attributes:
        image: (H, W, 3) uint8, RGB.
        stages: per backbone stage, per pyramid level, an (h, w) float map, finite and not negative,
            in multiples of its own mean (see ``apnet.explanation.relative``); level 0 is the
            stage's output before its pyramid.
        passed: per stage, per level, the share of the level before that it passes on; ``None`` at
            level 0.
        caption: label of the row.

    Raises:
        DataError: on construction, when a shape, type or range is wrong.
    """

    image: NDArray[np.uint8]
    stages: tuple[tuple[NDArray[np.floating], ...], ...]
    passed: tuple[tuple[float | None, ...], ...]
    caption: str

    def __post_init__(self) -> None:
        if self.image.dtype != np.uint8 or self.image.ndim != 3 or self.image.shape[2] != 3:
            raise DataError(
                f"attention panel '{self.caption}': the image must be (H, W, 3) uint8, "
                f"got {self.image.shape} {self.image.dtype}"
            )
        if [len(stage) for stage in self.stages] != [len(stage) for stage in self.passed]:
            raise DataError(
                f"attention panel '{self.caption}': give a passed share, or None, for every map"
            )
        for stage in self.stages:
            for heat in stage:
                if heat.ndim != 2 or not heat.size or not np.isfinite(heat).all() or heat.min() < 0:
                    raise DataError(
                        f"attention panel '{self.caption}': a map must be (h, w), finite and not "
                        f"negative; got shape {heat.shape}"
                    )


@dataclass(frozen=True, eq=False)
class ReportPage:
    """The content of a report; sections without content are omitted.

    Attributes:
        title: heading of the page.
        summary: one paragraph of plain text.
        status: what the reader has to know of a page that is not final; empty for a final one.
        systems: the results table and the CMC curves; at least one.
        curves: training curves.
        galleries: ranked galleries.
        attention: attention panels, all with the same stages and levels.
        facts: label and value of the run's details: machine, versions, seed, command, time, memory.
        notes: limitations and intended use, one or two sentences each.
        ranked_by: name of the system that ranked ``galleries``.
        attention_by: name of the system whose maps ``attention`` shows.
        attention_method: method that computed ``attention``, such as ``"Grad-CAM"``.

    Raises:
        DataError: on construction, when there is no system, or the panels' layouts differ.
    """

    title: str
    summary: str
    systems: Sequence[SystemResult]
    curves: Sequence[TrainingCurve] = ()
    galleries: Sequence[RankedGallery] = ()
    attention: Sequence[AttentionPanel] = ()
    facts: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    ranked_by: str = ""
    attention_by: str = ""
    attention_method: str = ""
    status: str = ""

    def __post_init__(self) -> None:
        if not self.systems:
            raise DataError("a report needs the result of at least one system")
        layouts = {tuple(len(stage) for stage in panel.stages) for panel in self.attention}
        if len(layouts) > 1 or any(not layout or 0 in layout for layout in layouts):
            raise DataError(
                "all attention panels need the same stages, each with the same number of levels "
                f"(at least one); got {sorted(layouts)}"
            )


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise DataError(f"{name} must be a fraction from 0 to 1, got {value}")
