"""Calibration: what a similarity means in error rates and probabilities, and decisions on pairs."""

from apnet.calibration.comparing import Comparison, compare
from apnet.calibration.files import load_calibration, save_calibration
from apnet.calibration.finding import calibration_of, calibration_path
from apnet.calibration.making import calibrate, calibration_from
from apnet.calibration.table import Calibration
from apnet.calibration.values import Rate, Threshold

__all__ = [
    "Calibration",
    "Comparison",
    "Rate",
    "Threshold",
    "calibrate",
    "calibration_from",
    "calibration_of",
    "calibration_path",
    "compare",
    "load_calibration",
    "save_calibration",
]
