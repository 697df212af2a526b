"""What a report says, as validated values: the caller fills them, `write_report` typesets them.

Every share (mAP, CMC, AP) is a fraction from 0 to 1 here and a percentage on the page.
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
    """One system's figures: a line of the results table and a CMC curve.

    Attributes:
        key: short, stable name for ``metrics.json``, such as ``"pyramid"``.
        name: name for people, such as ``"APNet-C2 (pyramid)"``.
        description: what the system is, in a few words.
        evaluation: its figures with their protocol.
        seconds: wall-clock time it took, or ``None``.

    Raises:
        DataError: on construction, when a figure is not a fraction from 0 to 1.
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
    """How one training went.

    Attributes:
        name: a system's name (it is then drawn in that system's line style) or another.
        epochs: N positions in epochs, ascending.
        loss: N values of the total loss (Eq. 9).
        mAP: pairs of epoch and mAP, one an evaluation; may be empty.

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
            raise DataError(f"the training curve '{self.name}' holds NaN or infinity; cut it there")
        for _, share in self.mAP:
            _check_share(f"mAP of the training curve '{self.name}'", share)


@dataclass(frozen=True)
class RankedGallery:
    """One query and the head of its ranking.

    Attributes:
        chosen: why this query is shown, such as ``"Highest AP"``.
        query: the query's image file.
        matches: gallery image files, best first; the page shows the first ten.
        correct: whether each match shows the query's person.
        similarity: cosine similarity (or another, higher is nearer) of each match.
        average_precision: of the query's whole ranking.
        query_label: what to write beneath the query, such as ``"person 7, camera 2"``.
        match_labels: the same for each match.

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
    """Heat maps of one person: a row of the attention figure (as in Fig. 6).

    Attributes:
        image: (H, W, 3) uint8, RGB.
        stages: per backbone stage, per pyramid level, an (h, w) float map, finite and not negative;
            level 0 is the stage's output before its pyramid.
        caption: who is shown.

    Raises:
        DataError: on construction, when a shape, type or range is another.
    """

    image: NDArray[np.uint8]
    stages: tuple[tuple[NDArray[np.floating], ...], ...]
    caption: str

    def __post_init__(self) -> None:
        if self.image.dtype != np.uint8 or self.image.ndim != 3 or self.image.shape[2] != 3:
            raise DataError(
                f"attention panel '{self.caption}': the image must be (H, W, 3) uint8, "
                f"got {self.image.shape} {self.image.dtype}"
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
    """A whole report; empty parts leave their section out.

    Attributes:
        title: heading of the page.
        summary: what was done and found, one paragraph of plain text.
        systems: the results table and the CMC curves; at least one.
        curves: training curves.
        galleries: ranked galleries.
        attention: attention panels, all with the same stages and levels.
        facts: label and value: machine, versions, seed, command, counts, time, memory.
        notes: limits and intended use, a sentence or two each.
        ranked_by: name of the system whose rankings ``galleries`` shows.
        attention_method: how the maps in ``attention`` were made, such as ``"Grad-CAM"``.

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
    attention_method: str = ""

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
