"""The table of a calibration: what is in the file, and what it answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.calibration.grid import COUNT, Grid
from apnet.calibration.sizes import between_sizes, false_positives, gallery_size, has_images
from apnet.calibration.support import (
    RULE_OF_3,
    people_for_pairs,
    people_for_searches,
    smallest_search_rate,
)
from apnet.calibration.values import Content, Rate, Threshold
from apnet.display import summarised
from apnet.errors import CalibrationError, ConfigError

Floats = NDArray[np.float64]
_REMEDY = "calibrate again with 'apnet calibrate'"
_SIGMAS = 2.0  # 95 % of a normal, and a little for the bootstrap's own error
_FEWEST_ASKED = 2


@summarised
@dataclass(frozen=True, repr=False)
class Calibration:
    """Error rates and probabilities of one network's similarities (ISO/IEC 19795-1's terms).

    Rates are of images of two cameras. Intervals are over people: the people of the calibration,
    and those that a decision will be about, are both draws from the same population.

    Attributes:
        content: the table.
    """

    content: Content

    @property
    def fingerprint(self) -> str:
        """Of the network that it belongs to."""
        return self.content.fingerprint

    @property
    def limits(self) -> str:
        """What its rates do not cover, one or two sentences."""
        return self.content.limits

    @property
    def people(self) -> int:
        """People it was made with."""
        return self.content.people

    @property
    def grid(self) -> Grid:
        """The similarities that rates are given at."""
        return Grid(self.content.lowest)

    def threshold(
        self, fmr: float = 1e-3, *, people: int = 1, images: int = 1, fpir: float | None = None
    ) -> Threshold:
        """Returns the lowest similarity whose error rate is at most a stated one.

        Args:
            fmr: false match rate of a pair of images, between 0 and 1; unless ``fpir`` is given.
            people: in the gallery, 1 or more.
            images: per identity, 1 or more.
            fpir: false positive identification rate in that gallery instead.

        Raises:
            ConfigError: a value is out of range.
            CalibrationError: the calibration has too few people for the claim.
        """
        _check_size(people, images)
        wanted = fmr if fpir is None else fpir
        if not 0 < wanted < 1:
            raise ConfigError(f"a rate of {wanted!r}: use one between 0 and 1, such as 1e-3")
        if fpir is None:
            self._check_support(f"FMR {wanted:g}", people_for_pairs(wanted))
            curve = np.array(self.content.fmr.rate)
        else:
            needed = people_for_searches(wanted, gallery_size(self.content, people, images))
            self._check_support(f"FPIR {wanted:g} in a gallery of {people:,}", needed)
            curve = false_positives(self.content, people, images)
        return self._described(_crossing(curve, wanted, self.grid), people, images)

    def smallest_fpir(self, people: int, images: int = 1) -> float:
        """Returns the smallest FPIR that its people support in a gallery; may be above 1.

        Args:
            people: identities in the gallery.
            images: per identity.

        Raises:
            ConfigError: a value is out of range.
        """
        _check_size(people, images)
        return smallest_search_rate(self.people, gallery_size(self.content, people, images))

    def rates(
        self, threshold: float, *, people: int = 1, images: int = 1, asked: int | None = None
    ) -> Threshold:
        """Returns the error rates of a similarity.

        Args:
            threshold: cosine, from -1 to 1.
            people: in the gallery, 1 or more.
            images: per identity, 1 or more.
            asked: people that the rates will be measured on, for the intervals; by default as many
                as the calibration was made with.

        Raises:
            ConfigError: a value is out of range.
        """
        _check_size(people, images)
        _check_similarity("threshold", threshold)
        if asked is not None and (isinstance(asked, bool) or not asked >= _FEWEST_ASKED):
            raise ConfigError(f"asked = {asked!r}: use {_FEWEST_ASKED} people or more")
        return self._described(float(threshold), people, images, asked)

    def likelihood_ratio(self, similarity: float) -> float:
        """Returns P(similarity | same person) / P(similarity | two people).

        Raises:
            ConfigError: the similarity is no cosine.
        """
        _check_similarity("similarity", similarity)
        return math.exp(self._log_ratio(similarity))

    def probability(self, similarity: float, *, prior: float = 0.5) -> float:
        """Returns the probability of "same person", given the one before the comparison.

        Raises:
            ConfigError: the prior is not between 0 and 1, or the similarity is no cosine.
        """
        _check_probability("prior", prior)
        odds = self.likelihood_ratio(similarity) * prior / (1 - prior)
        return odds / (1 + odds)

    def similarity_at(self, probability: float, *, prior: float = 0.5) -> float:
        """Returns the lowest similarity of the grid with at least a probability of "same person".

        Raises:
            ConfigError: a probability is not between 0 and 1.
            CalibrationError: no similarity makes it as probable.
        """
        _check_probability("probability", probability)
        _check_probability("prior", prior)
        wanted = math.log(probability / (1 - probability) * (1 - prior) / prior)
        thresholds = self.grid.thresholds
        reached = np.flatnonzero(self._log_ratio(thresholds) >= wanted)
        if not len(reached):
            most = self.probability(1.0, prior=prior)
            raise CalibrationError(
                f"no similarity makes 'same person' as probable as {probability:g} at a prior of "
                f"{prior:g}: the calibration's people show {most:.6g} at most"
            )
        return float(thresholds[reached[0]])

    def check(self, fingerprint: str, image_size: tuple[int, int] | None, flip: bool) -> None:
        """Checks that it belongs to a network and preprocessing.

        Raises:
            CalibrationError: it does not; the message says what differs.
        """
        content = self.content
        differs = [
            f"{name} {ours} instead of {theirs}"
            for name, ours, theirs in (
                ("network", content.fingerprint, fingerprint),
                ("image size", tuple(content.image_size), image_size and tuple(image_size)),
                ("mirror image", content.flip, flip),
            )
            if ours != theirs
        ]
        if differs:
            raise CalibrationError(
                f"the calibration is of another network or preprocessing: {', '.join(differs)}; "
                f"{_REMEDY}"
            )

    def _check_support(self, claim: str, needed: int) -> None:
        if self.people < needed:
            raise CalibrationError(
                f"{claim} cannot be promised from {self.people:,} people: even with no "
                "error among them the 95 % bound is larger (rule of 3); calibrate with "
                f"{needed:,} people or more, or ask for a larger rate"
            )

    def _described(
        self, value: float, people: int, images: int, asked: int | None = None
    ) -> Threshold:
        content, probes = self.content, self.people
        ratio = probes / (asked or probes)
        fewest = min(asked or probes, probes)
        pairs = RULE_OF_3 / (fewest * (fewest - 1) / 2)

        def rate(curve: Floats, error: Floats, floor: float) -> Rate:
            return _rate(self._at(curve, value), self._at(error, value), floor, ratio)

        searches = RULE_OF_3 / fewest
        fmr = rate(np.array(content.fmr.rate), np.array(content.fmr.error), pairs)
        fnmr = rate(np.array(content.fnmr.rate), np.array(content.fnmr.error), searches)
        fpir = rate(
            false_positives(content, people, images),
            between_sizes(content, content.fpir.error, people, images),
            searches,
        )
        fnir = rate(
            between_sizes(content, content.fnir.rate, people, images),
            between_sizes(content, content.fnir.error, people, images),
            searches,
        )
        extrapolated = people > probes - 1 or not has_images(content, images)
        return Threshold(
            value,
            fmr,
            fnmr,
            fpir,
            fnir,
            people,
            images,
            _protocol(value, (fmr, fnmr, fpir, fnir), people, images, extrapolated),
            content.limits,
            extrapolated,
        )

    def _log_ratio(self, similarity: Any) -> Any:
        """Returns it between the middles of the bins that it was fitted to."""
        middles = self.grid.thresholds + self.grid.step / 2
        return np.interp(similarity, middles, self.content.log_likelihood_ratio)

    def _at(self, curve: Floats, similarity: float) -> float:
        return float(np.interp(similarity, self.grid.thresholds, curve))

    def _rows(self) -> Mapping[str, object]:
        content = self.content
        hundredth = _crossing(np.array(content.fmr.rate), 1e-2, self.grid)
        return {
            "network": content.fingerprint,
            "made with": f"{content.people:,} people, {content.images:,} images, "
            f"{content.cameras} cameras: {content.data}",
            "EER": f"{content.eer:.3f}",
            "threshold at FMR 1e-2": f"{hundredth:.3f}",
            "limits": content.limits,
        }


def _rate(value: float, error: float, fewest: float, ratio: float) -> Rate:
    """Returns a rate with its prediction interval; below ``fewest`` nothing can be told apart."""
    spread = math.exp(_SIGMAS * error * math.sqrt(1 + ratio))
    low, high = value / spread, min(max(value * spread, fewest), 1.0)
    return Rate(value, low if value > fewest / RULE_OF_3 else 0.0, high)


def _protocol(
    value: float, rates: tuple[Rate, Rate, Rate, Rate], people: int, images: int, extrapolated: bool
) -> str:
    fmr, fnmr, fpir, fnir = rates
    if people == 1:
        return f"threshold {value:.3f}: FMR {fmr}, FNMR {fnmr}, across cameras"
    beyond = ", extrapolated beyond the people or images of the calibration" * extrapolated
    return (
        f"threshold {value:.3f} for {people:,} identities of about {images} images: FPIR {fpir}, "
        f"FNIR {fnir}, FMR {fmr} per pair, across cameras{beyond}"
    )


def _check_size(people: int, images: int) -> None:
    for name, value in (("people", people), ("images", images)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ConfigError(f"{name} = {value!r}: use a whole number of 1 or more")


def _check_similarity(name: str, value: float) -> None:
    if not -1 <= value <= 1:
        raise ConfigError(f"{name} = {value!r}: use a similarity from -1 to 1")


def _check_probability(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ConfigError(f"{name} = {value!r}: use a probability between 0 and 1")


def _crossing(curve: NDArray[np.float64], wanted: float, grid: Grid) -> float:
    """Returns where a falling curve, straight between thresholds, comes down to a rate."""
    above = np.flatnonzero(curve > wanted)
    if not len(above):
        return grid.lowest
    place = int(above[-1])
    if place == COUNT - 1:
        return 1.0
    high, low = curve[place], curve[place + 1]
    return float(min(grid.lowest + grid.step * (place + (high - wanted) / (high - low)), 1.0))
