"""The thresholds that a table and a page show, and why some claims cannot be made."""

from __future__ import annotations

from collections.abc import Iterator

from apnet.calibration.table import Calibration
from apnet.calibration.values import Threshold
from apnet.errors import CalibrationError

FMRS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
"""False match rates of a pair."""

PEOPLE = (10, 100, 1_000)
"""Sizes of galleries, at ``FPIR``."""

FPIR = 1e-2


def claims(calibration: Calibration) -> Iterator[tuple[str, Threshold | str]]:
    """Yields claims with their threshold, or with the reason why they cannot be made."""
    for rate in FMRS:
        yield f"FMR {rate:.0e}", _or_reason(calibration, fmr=rate)
    for people in PEOPLE:
        claim = f"FPIR {FPIR:.0e}, {people:,} people"
        yield claim, _or_reason(calibration, fpir=FPIR, people=people)


def _or_reason(
    calibration: Calibration, *, fmr: float = FPIR, fpir: float | None = None, people: int = 1
) -> Threshold | str:
    try:
        return calibration.threshold(fmr, fpir=fpir, people=people)
    except CalibrationError as error:
        return str(error)
