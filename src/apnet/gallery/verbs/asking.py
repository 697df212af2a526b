"""Search: who is this?"""

from __future__ import annotations

from typing import Any

from apnet.gallery import searching
from apnet.gallery.answers import Answer, By
from apnet.gallery.filters import Filter
from apnet.gallery.verbs.opening import Opened
from apnet.progress import Progress, silent


class Asking(Opened):
    """Answers who images and features show."""

    def search(self, query: Any, **how: Any) -> Answer:
        """Answers who one image or feature shows; arguments are those of ``search_many``."""
        return searching.single(self.search_many(query, **how))

    def search_many(
        self,
        queries: Any,
        *,
        k: int = 5,
        by: By = "best",
        where: Filter | None = None,
        fmr: float | None = None,
        threshold: float | None = None,
        exact: bool | None = None,
        bgr: bool = False,
        boxes: Any = None,
        progress: Progress = silent,
    ) -> list[Answer]:
        """Answers who many images or features show.

        Args:
            queries: what ``Model.embed`` takes, ``Embeddings`` of the gallery's network, or
                features, (D,) or (N, D) floats.
            k: identities per query, 1 or more.
            by: an identity's similarity: ``best``, of its most similar image, or ``mean``, of the
                mean of its images' features.
            where: which images are looked at.
            fmr: false match rate of a pair of images that the threshold is chosen for; by default
                the threshold is chosen for the gallery's size, so that one search in a hundred for
                somebody who is not in it finds somebody.
            threshold: a similarity of your own from which an identity is accepted.
            exact: ``True`` always searches exactly; ``None`` approximately where the gallery is
                large and has an index.
            bgr: whether numpy arrays are BGR.
            boxes: with one frame, as for ``Model.embed``.
            progress: called with (images done, images in all) while images are embedded.

        Returns:
            An answer per query. ``decision`` is a name or ``unknown``, and ``None`` where there is
            neither calibration nor threshold.

        Raises:
            ConfigError: a value is out of range.
            CalibrationError: ``fmr`` without a calibration, or one that the calibration cannot
                support.
            GalleryError: the features are of another network, not finite or zero.
        """
        wish = searching.Wish(k, by, where or Filter(), fmr, threshold, exact)
        searching.check_wish(self, wish)
        asked = searching.asked_features(self, queries, bgr=bgr, boxes=boxes, progress=progress)
        return searching.answers(self, self._engine, asked, wish)
