"""Galleries in and out of files, and to another network."""

from __future__ import annotations

from typing import Any

from apnet.arguments import AnyPath, as_path
from apnet.gallery import adding, transfer
from apnet.gallery.adding import AddResult
from apnet.gallery.values import (
    now,
)
from apnet.gallery.verbs.opening import Opened, network_path
from apnet.progress import Progress, silent


class Moving(Opened):
    """Writes and reads galleries as files."""

    def export(self, out: AnyPath) -> int:
        """Writes all features with names, cameras, times and sources to an ``.npz`` file.

        ``apnet.load_features`` reads it too. Memory: the features once.

        Raises:
            GalleryError: the name does not end in ``.npz``.
            DataError: it cannot be written.
        """
        return transfer.export_all(self._engine, self._facts, as_path(out, "out"))

    def export_identity(self, name: str, out: AnyPath) -> int:
        """Writes all that is held about a person to a ``.json`` file; returns the images.

        Raises:
            GalleryError: there is none of that name, or the file's name does not end in ``.json``.
        """
        return transfer.export_identity(self._engine, self._facts, name, as_path(out, "out"))

    def import_(self, source: AnyPath, *, progress: Progress = silent) -> AddResult:
        """Adds what ``export`` wrote, from a gallery of the same network.

        Raises:
            DataError: the file is no export.
            GalleryError: it is of another network.
        """
        images = transfer.read_export(as_path(source, "source"), self.place, self._facts)
        result = AddResult()
        for batch in adding.batches(images):
            result += adding.add_batch(self._engine, batch)
            progress(result.total, len(images))
        return result

    def re_embed(self, place: AnyPath, model: Any, *, progress: Progress = silent) -> int:
        """Fills a new gallery from this one's images with another network, all or none.

        Images are read from the files that they came from, where those are still the same, and
        otherwise from thumbnails, which is told.

        Args:
            place: of the new gallery; this one stays as it is.
            model: the new network, as for ``load_model``.
            progress: as for ``add``.

        Returns:
            The number of images.

        Raises:
            GalleryError: there is something at the new place, or of an image there is no picture
                any more; nothing is written.
        """
        from apnet.gallery.reembedding import facts_anew, fill_anew, kept_images
        from apnet.models import load_model

        loaded = load_model(model)
        with self._engine.view():
            kept = kept_images(self._engine)
            small = sum(not each.from_file for each in kept)
            if small:
                self._notify(f"{small:,} images are read from thumbnails: their files are gone")
            facts = facts_anew(self._facts, loaded, network_path(model), now())
            fill_anew(self._engine, kept, place, facts, loaded, progress)
        return len(kept)
