"""Groups of images and tracklets of cameras."""

from __future__ import annotations

from apnet.arguments import AnyPath, as_path
from apnet.errors import CalibrationError, ConfigError
from apnet.gallery import searching
from apnet.gallery.grouping import Group, apply_proposal, propose_groups
from apnet.gallery.track_tables import Assignment, read_tracklets
from apnet.gallery.tracks import assign_tracklets
from apnet.gallery.verbs.opening import Opened
from apnet.progress import Progress, silent

FMR = 1e-3
"""False match rate of a pair of images that groups are made for, unless another is asked."""


class Tracking(Opened):
    """Finds out which images show one person."""

    def group(self, threshold: float | None = None, *, fmr: float = FMR) -> list[Group]:
        """Proposes persons for the images without identity; nothing is changed.

        Args:
            threshold: cosine from which groups are one, from -1 to 1; by default from ``fmr``.
            fmr: false match rate of a pair of images that the threshold is chosen for.

        Raises:
            CalibrationError: there is neither a threshold nor a calibration.
            GalleryError: there are no such images, or too many at once.
        """
        return propose_groups(self._engine, self._pair_threshold(threshold, fmr))

    def apply_groups(self, table: AnyPath) -> int:
        """Names images as a reviewed table of ``write_proposal`` says; returns how many.

        Raises:
            DataError: it is no such table.
            GalleryError: an image is not there or has an identity; none is named.
        """
        return apply_proposal(self._engine, as_path(table, "table"))

    def assign(
        self,
        table: AnyPath,
        *,
        known: float | None = None,
        new: float | None = None,
        fmr: float | None = None,
        progress: Progress = silent,
    ) -> list[Assignment]:
        """Gives tracklets of several cameras global identities; the gallery grows by them.

        Args:
            table: crops with the columns path, camera, tracklet and, where known, time and
                identity (the truth, for ``apnet.gallery.score_assignments``).
            known: cosine from which a tracklet is of the closest identity; by default as for
                ``search_many``.
            new: cosine below which it is a new person, not above ``known``; by default where the
                same person is as likely as another one. Between both it is unsure.
            fmr: false match rate of a pair of images that ``known`` is chosen for.
            progress: called with (tracklets done, tracklets in all).

        Raises:
            CalibrationError: there are neither thresholds nor a calibration.
            GalleryError: a value cannot be used; the line is named.
            DataError: a crop cannot be used; the tracklets before it are in the gallery.
        """
        tracklets = read_tracklets(as_path(table, "table"))
        thresholds = searching.track_thresholds(self, self._engine, known, new, fmr)
        return assign_tracklets(
            self._engine, self.model, self._facts, tracklets, thresholds, progress
        )

    def _pair_threshold(self, threshold: float | None, fmr: float) -> float:
        if threshold is not None:
            if not -1 <= threshold <= 1:
                raise ConfigError(f"threshold = {threshold!r}: use a similarity from -1 to 1")
            return threshold
        if self.calibration is None:
            raise CalibrationError(
                f"{self.place}: there is no calibration; give a threshold from -1 to 1"
            )
        return float(self.calibration.threshold(fmr).value)
