"""What an exported file says about itself: fingerprint, preprocessing, thresholds."""

from __future__ import annotations

import contextlib
import hashlib
from typing import Any

from torch import Tensor

from apnet._version import __version__
from apnet.calibration import calibration_of
from apnet.config import to_dict
from apnet.errors import CalibrationError
from apnet.exported.metadata import ExportMetadata, derived_fingerprint, preprocessing
from apnet.exporting.plan import GraphPlan
from apnet.models import Model

_RATES = (1e-2, 1e-3, 1e-4)
"""False match rates whose thresholds a file holds, as far as its calibration supports them."""


def described(model: Model, plan: GraphPlan, calibration: Tensor) -> ExportMetadata:
    """Returns the metadata of a file.

    Args:
        model: the original.
        plan: what the file contains.
        calibration: the images that give the ranges of 8-bit numbers.
    """
    differences = _differences(plan, calibration)
    return ExportMetadata(
        fingerprint=derived_fingerprint(model.fingerprint, *differences),
        network_fingerprint=model.fingerprint,
        precision=plan.precision,
        pixels=plan.pixels,
        input_size=plan.input_size,
        mirror=plan.flip,
        dimensions=model.embedder.feature_dim,
        network=to_dict(model.config),
        facts=dict(model.facts),
        calibration=None if differences else _thresholds(model, plan),
        preprocessing=preprocessing(plan.pixels, plan.input_size),
        version=__version__,
    )


def _differences(plan: GraphPlan, calibration: Tensor) -> list[str]:
    """Returns why the file's embeddings are not the network's own, in words that name each way."""
    found: list[str] = []
    if plan.precision != "float32":
        found.append(plan.precision)
    if plan.precision == "int8":
        found.append(hashlib.sha256(calibration.contiguous().numpy().tobytes()).hexdigest())
    if plan.resizes:
        found.append(f"from {plan.input_size[0]}x{plan.input_size[1]}")
    return found


def _thresholds(model: Model, plan: GraphPlan) -> dict[str, Any] | None:
    """Returns thresholds by false match rate, where the network has a calibration that applies."""
    calibration = calibration_of(model)
    if calibration is None or calibration.content.flip != plan.flip:
        return None
    thresholds: dict[str, float] = {}
    with contextlib.suppress(CalibrationError):  # too few people for so small a rate
        for rate in _RATES:
            thresholds[f"{rate:g}"] = round(calibration.threshold(rate).value, 6)
    return {
        "false_match_rate_to_threshold": thresholds,
        "people": calibration.people,
        "limits": calibration.limits,
    }
