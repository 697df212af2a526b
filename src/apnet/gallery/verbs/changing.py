"""Identities, and what leaves a gallery."""

from __future__ import annotations

from collections.abc import Sequence

from apnet.gallery import adding, removal
from apnet.gallery.records import HeldImage, Identity
from apnet.gallery.rows import all_identities, images_of
from apnet.gallery.values import (
    checked_name,
)
from apnet.gallery.verbs.opening import Opened


class Changing(Opened):
    """Names, joins, deletes and forgets people."""

    def identities(self) -> list[Identity]:
        """Returns all identities in the order of their names."""
        return all_identities(self._engine)

    def identity(self, name: str) -> Identity:
        """Returns one identity.

        Raises:
            GalleryError: there is none of that name.
        """
        return removal.known_identity(self._engine, name)

    def images(self, name: str | None) -> list[HeldImage]:
        """Returns the images of an identity; of ``None``, those without one."""
        number = None if name is None else self.identity(name).id
        return images_of(self._engine, number)

    def rename(self, name: str, new_name: str) -> None:
        """Gives an identity another name.

        Raises:
            GalleryError: nobody has the old name, or somebody the new one.
        """
        removal.rename_identity(self._engine, name, new_name)

    def merge(self, name: str, into: str) -> int:
        """Moves the images of one identity to another and deletes it; returns their number.

        Raises:
            GalleryError: one is not there, or both are the same.
        """
        return removal.merge_identities(self._engine, name, into)

    def label(self, images: Sequence[int], name: str) -> int:
        """Gives images without identity, by their numbers, to an identity; returns how many.

        Raises:
            GalleryError: an image is not there, or has an identity already.
        """
        return adding.label_images(self._engine, dict.fromkeys(images, checked_name(name)))

    def remove(self, images: Sequence[int]) -> int:
        """Deletes single images by their numbers; returns how many.

        Raises:
            GalleryError: one is not there; none is deleted.
        """
        return removal.remove_images(self._engine, images)

    def erase(self, name: str) -> int:
        """Deletes an identity and every byte that is held of it; returns the number of its images.

        The file is written anew, which takes as long as copying it.

        Raises:
            GalleryError: there is none of that name, or another program kept the bytes from being
                overwritten.
        """
        return removal.erase_identity(self._engine, name)

    def expire(self) -> int:
        """Deletes what is older than the gallery's period; returns the number of images."""
        return removal.expire_images(self._engine, self._facts.keep)
