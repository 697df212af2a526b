"""A page of a calibration: DET curve, similarities, thresholds of galleries, pairs of cameras."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from apnet.calibration.claims import FPIR, claims
from apnet.calibration.grid import SIZES
from apnet.calibration.table import Calibration
from apnet.errors import CalibrationError
from apnet.files import write_text
from apnet.report.plots import LineStyle, rates_svg, styles_of
from apnet.report.templates import template

_IMAGES = (1, 4)
_SHOWN_PAIRS = 30


@dataclass(frozen=True)
class _Plot:
    svg: str
    alternative: str
    legend: dict[str, LineStyle]
    caption: str


def write_page(calibration: Calibration, path: Path) -> None:
    """Writes a page that opens offline, in light and dark.

    Raises:
        MissingExtraError: jinja2 or matplotlib is not installed.
        DataError: it cannot be written.
    """
    rows = [
        (claim, None, chosen) if isinstance(chosen, str) else (claim, chosen, "")
        for claim, chosen in claims(calibration)
    ]
    html: str = template("page.html.j2", "apnet.calibration").render(
        content=calibration.content,
        rows=rows,
        plots=list(
            filter(None, (_det(calibration), _similarities(calibration), _galleries(calibration)))
        ),
        pairs=_pairs(calibration),
        shown=_SHOWN_PAIRS,
    )
    write_text(path, html.encode("utf-8", "replace").decode("utf-8"))


def _det(calibration: Calibration) -> _Plot:
    content = calibration.content
    curves = {"across cameras": (content.fmr.rate, content.fnmr.rate)}
    return _Plot(
        rates_svg(curves, "det", ("false match rate", "false non-match rate"), (True, True)),
        f"False non-match rate over false match rate; they are equal at {content.eer:.3f}.",
        styles_of(curves),
        "DET curve: what is missed at each rate of false matches, of pairs of images of two "
        f"cameras, logarithmic. Equal error rate {content.eer:.3f}.",
    )


def _similarities(calibration: Calibration) -> _Plot:
    content = calibration.content
    thresholds = calibration.grid.thresholds
    middle, step = (thresholds[1:] + thresholds[:-1]) / 2, calibration.grid.step
    curves = {
        "the same person": (middle, np.diff(np.array(content.fnmr.rate)) / step),
        "two people": (middle, -np.diff(np.array(content.fmr.rate)) / step),
    }
    return _Plot(
        rates_svg(curves, "similarities", ("similarity (cosine)", "density")),
        "Densities of the similarity of pairs of one person and of two people.",
        styles_of(curves),
        "Similarities of pairs of images of one person and of two people.",
    )


def _galleries(calibration: Calibration) -> _Plot | None:
    """Returns thresholds over sizes; ``None`` where the people do not suffice for any."""
    curves = {}
    for images in _IMAGES:
        values = []
        for size in SIZES:
            with contextlib.suppress(CalibrationError):  # as are all larger sizes
                chosen = calibration.threshold(fpir=FPIR, people=size, images=images)
                values.append(chosen.value)
        if values:
            name = f"{images} image{'s' * (images > 1)} per identity"
            curves[name] = (SIZES[: len(values)], values)
    if not curves:
        return None
    return _Plot(
        rates_svg(curves, "galleries", ("identities in the gallery", "threshold"), (True, False)),
        "The threshold rises with the number of identities in a gallery.",
        styles_of(curves),
        f"Threshold for a false positive identification rate of {FPIR:g}; beyond "
        f"{calibration.people - 1:,} identities it is extrapolated.",
    )


def _pairs(calibration: Calibration) -> list[tuple[str, int, float, float]]:
    """Returns pairs of cameras with people, and FMR and FNMR at the threshold of FMR 1e-2."""
    content = calibration.content
    at = int(np.argmax(np.array(content.fmr.rate) <= FPIR))
    return [
        (f"{each.cameras[0]} and {each.cameras[1]}", each.people, each.fmr[at], each.fnmr[at])
        for each in content.camera_pairs
    ]
