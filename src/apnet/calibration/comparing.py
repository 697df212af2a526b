"""Decides whether two pictures, or two sets of pictures, show the same person."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from apnet.arguments import AnyPath
from apnet.calibration.files import load_calibration
from apnet.calibration.finding import calibration_of
from apnet.calibration.table import Calibration
from apnet.calibration.values import Threshold
from apnet.display import summarised
from apnet.errors import CalibrationError

FMR = 1e-3
"""False match rate that a decision is made at, unless another is asked."""


@summarised
@dataclass(frozen=True, repr=False)
class Comparison:
    """Whether two pictures show the same person.

    Attributes:
        same: whether the similarity reaches the threshold.
        similarity: cosine, from -1 to 1.
        probability: of "same person", at the prior.
        prior: probability before the comparison.
        likelihood_ratio: how many times likelier the similarity is for one person than for two.
        threshold: with its error rates.
        images: compared, of the first and of the second person.
        protocol: how they were compared, and what the threshold means.
        limits: what the rates do not cover.
    """

    same: bool
    similarity: float
    probability: float
    prior: float
    likelihood_ratio: float
    threshold: Threshold
    images: tuple[int, int]
    protocol: str
    limits: str

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON holds it."""
        return asdict(self)


def compare(
    first: Any,
    second: Any,
    *,
    model: Any = None,
    calibration: Calibration | AnyPath | None = None,
    fmr: float = FMR,
    prior: float = 0.5,
    device: Any = "auto",
) -> Comparison:
    """Decides whether two pictures show the same person.

    Args:
        first: a picture, or a folder or list of pictures of one person; what ``Model.embed``
            takes. Of several pictures the mean of the features is compared.
        second: the same of the other person.
        model: as for ``load_model``; ``None`` for the shipped network.
        calibration: a ``Calibration`` or its file; by default that of the network.
        fmr: false match rate that the threshold is chosen for.
        prior: probability of "same person" before the comparison.
        device: as for ``load_model``.

    Raises:
        CalibrationError: there is no calibration of this network, or it cannot support ``fmr``.
        ConfigError: a value is out of range.
        DataError: a picture cannot be used.

    Example:
        >>> import apnet, numpy
        >>> crop = numpy.zeros((64, 32, 3), numpy.uint8)
        >>> apnet.compare(crop, crop, fmr=1e-2).same
        True
    """
    from apnet.models import load_model

    loaded = load_model(model, device=device)
    chosen = _calibration(loaded, calibration)
    threshold = chosen.threshold(fmr)
    chosen.probability(0.0, prior=prior)  # the prior is checked before anything is embedded
    sides = [loaded.embed(each).features for each in (first, second)]
    means = [side.mean(axis=0, dtype=np.float64) for side in sides]
    norms = [max(float(np.linalg.norm(mean)), 1e-12) for mean in means]
    similarity = float(np.clip(means[0] @ means[1] / (norms[0] * norms[1]), -1, 1))
    images = len(sides[0]), len(sides[1])
    return Comparison(
        similarity >= threshold.value,
        similarity,
        chosen.probability(similarity, prior=prior),
        prior,
        chosen.likelihood_ratio(similarity),
        threshold,
        images,
        f"cosine of {_sides(images)}; {threshold.protocol}",
        chosen.limits + (_SEVERAL if max(images) > 1 else ""),
    )


_SEVERAL = " The rates are those of single images; means of several miss fewer people."


def _sides(images: tuple[int, int]) -> str:
    if max(images) == 1:
        return "two images"
    return f"the means of {images[0]} and {images[1]} images"


def _calibration(model: Any, given: Calibration | AnyPath | None) -> Calibration:
    if given is None:
        found = calibration_of(model)
        if found is None:
            raise CalibrationError(
                f"network {model.fingerprint} has no calibration; make one with 'apnet calibrate'"
            )
        return found
    chosen = given if isinstance(given, Calibration) else load_calibration(given)
    chosen.check(model.fingerprint, model.image_size, flip=True)
    return chosen
