"""What a calibration says and holds, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from apnet.display import summarised


@dataclass(frozen=True)
class Rate:
    """An error rate with its 95 % interval, all from 0 to 1."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.low:.2g} to {self.high:.2g})"


@summarised
@dataclass(frozen=True, repr=False)
class Threshold:
    """A similarity to accept from, with what it costs.

    Attributes:
        value: cosine.
        fmr: false match rate of a pair of images of two people.
        fnmr: false non-match rate of a pair of images of one person.
        fpir: false positive identification rate of a gallery of ``people``; equals ``fmr`` of
            identities for one.
        fnir: false negative identification rate there, of the first answer.
        people: in the gallery.
        images: per identity, of which the most similar counts.
        protocol: a sentence on the rates.
        limits: what the rates do not cover.
        extrapolated: whether the gallery is larger than the calibration's number of people.
    """

    value: float
    fmr: Rate
    fnmr: Rate
    fpir: Rate
    fnir: Rate
    people: int
    images: int
    protocol: str
    limits: str
    extrapolated: bool


@dataclass(frozen=True)
class Curve:
    """A rate at all thresholds (or more axes before them) with the standard error of its log."""

    rate: list[Any]
    error: list[Any]


@dataclass(frozen=True)
class CameraPair:
    """Rates of one pair of cameras with enough people."""

    cameras: tuple[int, int]
    people: int
    fmr: list[float]
    fnmr: list[float]


@dataclass(frozen=True)
class Content:
    """What the file holds; T thresholds, S sizes of galleries, M numbers of images.

    Thresholds go in even steps from ``lowest`` to 1; ``gallery_images`` are the numbers of images
    per identity that galleries of the M numbers had on average.
    """

    fingerprint: str
    image_size: tuple[int, int]
    flip: bool
    people: int
    images: int
    cameras: int
    data: str
    limits: str
    lowest: float
    fmr: Curve
    fnmr: Curve
    fpir: Curve
    fnir: Curve
    gallery_images: list[float]
    log_likelihood_ratio: list[float]
    eer: float
    camera_pairs: list[CameraPair] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
