"""Adding images and features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apnet.arguments import AnyPath, as_path
from apnet.errors import GalleryError
from apnet.files import is_folder
from apnet.gallery import adding
from apnet.gallery.adding import AddResult
from apnet.gallery.binding import check_fingerprint
from apnet.gallery.enrolment import Given, given_folder, given_inputs, given_table
from apnet.gallery.images import add_given
from apnet.gallery.records import Sighting
from apnet.gallery.values import (
    as_time,
    checked_camera,
    checked_metadata,
    checked_name,
    checked_source,
)
from apnet.gallery.verbs.opening import Opened
from apnet.progress import Progress, silent
from apnet.types import Embeddings


class Filling(Opened):
    """Puts people into a gallery."""

    def add(
        self,
        images: Any,
        name: str | None = None,
        *,
        boxes: Any = None,
        bgr: bool = False,
        camera: object = None,
        time: object = None,
        source: object = None,
        metadata: Mapping[str, Any] | None = None,
        progress: Progress = silent,
    ) -> AddResult:
        """Adds images of one person, or images whose person is not known.

        Images that are there already are left as they are and counted. After an interruption, the
        same call goes on.

        Args:
            images: what ``Model.embed`` takes; with ``boxes``, one frame.
            name: of the identity, which is made where it is missing; ``None`` for images that are
                grouped later.
            boxes: (N, 4) x1, y1, x2, y2 in pixels of the frame.
            bgr: whether numpy arrays are BGR.
            camera: where they were taken.
            time: when, with a zone: ``datetime``, ``2026-11-26T08:00:00Z``, or seconds since 1970.
            source: where they came from; the file's path by default.
            metadata: of the identity, merged into what is known of it.
            progress: called with (images done, images in all).

        Raises:
            TypeError: an argument is of a type that is not taken.
            GalleryError: a value cannot be used, or an image is there under another name.
            DataError: an image cannot be used; the batches before it are in the gallery.
        """
        from apnet.embedding.inputs import box_inputs, image_inputs

        sighting = Sighting(checked_camera(camera), as_time(time), checked_source(source))
        known = checked_metadata(metadata)
        person = None if name is None else checked_name(name)
        if person is None and known:
            raise GalleryError("metadata belongs to an identity; give its name")
        if boxes is None:
            inputs = image_inputs(images, bgr=bgr, notify=self._notify)
        else:
            inputs = box_inputs(images, boxes, bgr=bgr, notify=self._notify)
        return self._add_given(given_inputs(inputs, person, sighting, known), progress)

    def add_folder(
        self, folder: AnyPath, *, named: bool = True, progress: Progress = silent
    ) -> AddResult:
        """Adds the images of a folder: one subfolder per person, or images without identity.

        Args:
            folder: of subfolders, whose names become the identities', or of images.
            named: whether identities are taken from it; otherwise all images join none.
            progress: as for ``add``.

        Raises:
            DataError: it is not there or has no images, or an image cannot be used.
            GalleryError: as for ``add``.
        """
        path = as_path(folder, "folder")
        if not is_folder(path):
            raise GalleryError(f"{path}: no such folder; name one that contains images")
        return self._add_given(given_folder(path, named, self._notify), progress)

    def add_table(self, table: AnyPath, *, progress: Progress = silent) -> AddResult:
        """Adds the images that a CSV file lists.

        Args:
            table: with the column ``path`` and, where known, ``identity``, ``camera``, ``time``,
                ``source`` and ``metadata.NAME``.
            progress: as for ``add``.

        Raises:
            DataError: it is no such table, or an image cannot be used.
            GalleryError: as for ``add``; the line is named.
        """
        return self._add_given(given_table(as_path(table, "table"), self._notify), progress)

    def add_features(
        self,
        features: Embeddings | NDArray[np.floating] | Sequence[Sequence[float]],
        names: Sequence[str | None] | str | None = None,
        *,
        camera: object = None,
        time: object = None,
        source: object = None,
        progress: Progress = silent,
    ) -> AddResult:
        """Adds features that were computed already.

        Args:
            features: ``Embeddings`` of the gallery's network, or (N, D) numbers that the caller
                knows to be of it; they are brought to length 1.
            names: N names, or one for all. ``None`` takes those of ``Embeddings`` (pids of 0 and
                more), and no identity otherwise.
            camera: where they were taken; ``Embeddings`` have cameras of their own.
            time: as for ``add``.
            source: where they came from; the paths of ``Embeddings`` by default.
            progress: as for ``add``.

        Raises:
            GalleryError: the features are of another network or length, not finite or zero, the
                numbers of features and names differ, or as for ``add``.
        """
        sighting = Sighting(checked_camera(camera), as_time(time), checked_source(source))
        if isinstance(features, Embeddings):
            check_fingerprint(self.place, self._facts, features.fingerprint)
        images = adding.images_of_features(features, names, sighting, self._facts.feature_dim)
        result = AddResult()
        for batch in adding.batches(images):
            result += adding.add_batch(self._engine, batch)
            progress(result.total, len(images))
        return result

    def _add_given(self, given: Sequence[Given], progress: Progress) -> AddResult:
        return add_given(self._engine, self.model, self._facts, given, progress)
