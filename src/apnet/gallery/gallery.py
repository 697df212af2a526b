"""The gallery: people who are recognised again, in one file or one database."""

from __future__ import annotations

from apnet.gallery.verbs.asking import Asking
from apnet.gallery.verbs.care import Care
from apnet.gallery.verbs.changing import Changing
from apnet.gallery.verbs.filling import Filling
from apnet.gallery.verbs.moving import Moving
from apnet.gallery.verbs.tracking import Tracking


class Gallery(Filling, Asking, Changing, Tracking, Moving, Care):
    """People who are recognised again: identities with images, found by picture or by feature.

    It holds features, not pictures (thumbnails where that was asked for), and belongs to the
    network that filled it. What ``add`` returned for is on the disk. Several programs may use one
    gallery at the same time.

    Args:
        place: the file that ``Gallery.create`` made, or ``postgresql://...``.
        model: as for ``load_model``; by default the network that filled it, from where it was
            loaded then. It is loaded when it is first needed.
        calibration: a ``Calibration`` or its file; by default the one that belongs to the model.
        notify: told about what opening removed, and about what is left out later; a warning by
            default.

    Raises:
        GalleryError: it is not there, is damaged, or a newer version made it.

    Example:
        >>> import apnet, numpy, tempfile
        >>> place = tempfile.mkdtemp() + "/people.gallery"
        >>> with apnet.Gallery.create(place, feature_dim=3) as gallery:
        ...     added = gallery.add_features(numpy.eye(3), ["ann", "ann", "bob"])
        ...     [match.name for match in gallery.search([0, 0.1, 1])]
        ['bob', 'ann']
    """
