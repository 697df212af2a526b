"""``report.html``: one file that opens offline, without scripts, in light, dark and print."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apnet.files import write_text
from apnet.report.content import (
    AttentionPanel,
    RankedGallery,
    ReportPage,
    SystemResult,
    TrainingCurve,
)
from apnet.report.pictures import (
    FULL_SCALE,
    Picture,
    heat_map,
    heat_scale,
    panel_image,
    picture,
)
from apnet.report.plots import LineStyle, cmc_svg, styles_of, training_svg
from apnet.report.templates import template
from apnet.report.wording import card_rows, duration, percent, shared_protocol
from apnet.retrieval.metrics.registry import comparison_labels

_SHOWN_MATCHES = 10


@dataclass(frozen=True)
class _Row:
    """A row of the results table; per column the value and whether it is the best."""

    system: SystemResult
    figures: tuple[tuple[str, bool], ...]
    card: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class _Plot:
    """An SVG with its alternative text and legend."""

    svg: str
    alternative: str
    legend: Mapping[str, LineStyle]


@dataclass(frozen=True)
class _Match:
    """One image of a ranking."""

    picture: Picture
    correct: bool
    similarity: float
    label: str


@dataclass(frozen=True)
class _Ranking:
    """A query with the first images of its ranking."""

    gallery: RankedGallery
    query: Picture
    matches: tuple[_Match, ...]


@dataclass(frozen=True)
class _HeatMap:
    """One overlay as a data URI, and the share of the level before that its level passes on."""

    uri: str
    passed: float | None


@dataclass(frozen=True)
class _AttentionRow:
    """A person's image and the overlays per stage and level."""

    caption: str
    image: str
    stages: tuple[tuple[_HeatMap, ...], ...]


def write_report(path: Path, page: ReportPage) -> None:
    """Writes the page atomically; unreadable images become labelled grey boxes and a note.

    Args:
        path: the HTML file to write.
        page: its content; each shown image adds about 5 kB, at most 20 kB.

    Raises:
        MissingExtraError: jinja2 or matplotlib is not installed.
        DataError: the file cannot be written.
    """
    styles = styles_of(
        [*(system.name for system in page.systems), *(curve.name for curve in page.curves)]
    )
    rankings = tuple(map(_ranking, page.galleries))
    page_template = template("report.html.j2", filters={"percent": percent, "duration": duration})
    html: str = page_template.render(
        page=page,
        protocol=shared_protocol([system.evaluation for system in page.systems]),
        columns=list(comparison_labels().values()),
        rows=_rows(page.systems),
        plots={
            "cmc": _cmc_plot(page.systems, styles),
            "training": _training_plot(page.curves, styles),
        },
        rankings=rankings,
        attention=tuple(map(_attention_row, page.attention)),
        heat_scale=heat_scale(),
        full_scale=FULL_SCALE,
        notes=[*page.notes, *_unreadable_note(rankings)],
    )
    # File names may be invalid Unicode; their invalid bytes become '?'.
    write_text(path, html.encode("utf-8", "replace").decode("utf-8"))


def _rows(systems: Sequence[SystemResult]) -> list[_Row]:
    """Returns the rows; the best value of each column is marked, also when it is printed twice."""
    table = [_figures(system) for system in systems]
    best = [max(column, key=float) for column in zip(*table, strict=True)]
    return [
        _Row(
            system,
            tuple((figure, len(table) > 1 and figure == best[i]) for i, figure in enumerate(line)),
            card_rows(system.evaluation),
        )
        for system, line in zip(systems, table, strict=True)
    ]


def _figures(system: SystemResult) -> list[str]:
    values = {"mAP": system.evaluation.mAP, **system.evaluation.values}
    return [percent(values[key]) for key in comparison_labels()]


def _cmc_plot(systems: Sequence[SystemResult], styles: Mapping[str, LineStyle]) -> _Plot:
    spoken = (
        f"{system.name} from {percent(system.evaluation.rank(1))} % at rank 1 "
        f"to {percent(system.evaluation.rank(10))} % at rank 10"
        for system in systems
    )
    legend = {system.name: styles[system.name] for system in systems}
    return _Plot(cmc_svg(systems, styles), "CMC curves: " + "; ".join(spoken), legend)


def _training_plot(
    curves: Sequence[TrainingCurve], styles: Mapping[str, LineStyle]
) -> _Plot | None:
    if not curves:
        return None
    spoken = (
        f"{curve.name}, loss from {curve.loss[0]:.2f} to {curve.loss[-1]:.2f} "
        f"at epoch {curve.epochs[-1]:g}"
        + (f", mAP at the end {percent(curve.mAP[-1][1])} %" if curve.mAP else "")
        for curve in curves
    )
    legend = {curve.name: styles[curve.name] for curve in curves}
    return _Plot(training_svg(curves, styles), "Training: " + "; ".join(spoken), legend)


def _ranking(gallery: RankedGallery) -> _Ranking:
    columns = (gallery.matches, gallery.correct, gallery.similarity, gallery.match_labels)
    matches = [
        _Match(picture(path), correct, similarity, label)
        for path, correct, similarity, label in itertools.islice(
            zip(*columns, strict=True), _SHOWN_MATCHES
        )
    ]
    return _Ranking(gallery, picture(gallery.query), tuple(matches))


def _attention_row(panel: AttentionPanel) -> _AttentionRow:
    stages = tuple(
        tuple(
            _HeatMap(heat_map(panel.image, strength), share)
            for strength, share in zip(levels, passed, strict=True)
        )
        for levels, passed in zip(panel.stages, panel.passed, strict=True)
    )
    return _AttentionRow(panel.caption, panel_image(panel.image), stages)


def _unreadable_note(rankings: Iterable[_Ranking]) -> list[str]:
    shown = [
        image
        for ranking in rankings
        for image in (ranking.query, *(match.picture for match in ranking.matches))
    ]
    names = list(dict.fromkeys(image.name for image in shown if image.uri is None))
    if not names:
        return []
    return [f"Shown as a grey box, because the image could not be read: {', '.join(names)}."]
