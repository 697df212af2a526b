"""Which images a search looks at, as users say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apnet.errors import GalleryError
from apnet.gallery.engines.engine import Engine, Wanted
from apnet.gallery.rows import all_identities
from apnet.gallery.values import as_time, checked_camera


@dataclass(frozen=True)
class Filter:
    """Which images a search looks at; all by default.

    Attributes:
        cameras: only images of these cameras.
        not_cameras: no images of these cameras.
        after: only images taken at this time or later; see ``Gallery.add`` for how times are given.
        before: only images taken earlier.
        metadata: only identities whose metadata has these values.
    """

    cameras: Sequence[object] | None = None
    not_cameras: Sequence[object] = ()
    after: object = None
    before: object = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def wanted(self, engine: Engine) -> Wanted:
        """Returns it as an engine takes it.

        Raises:
            GalleryError: a camera or time cannot be used.
        """
        identities = None
        if self.metadata:
            identities = tuple(
                each.id
                for each in all_identities(engine)
                if all(
                    name in each.metadata and each.metadata[name] == value
                    for name, value in self.metadata.items()
                )
            )
        cameras = None if self.cameras is None else tuple(map(checked_camera, self.cameras))
        return Wanted(
            cameras,
            tuple(map(checked_camera, self.not_cameras)),
            _moment(self.after, "after"),
            _moment(self.before, "before"),
            identities,
        )


def _moment(value: object, what: str) -> float | None:
    if value == "":
        raise GalleryError(f"{what} is empty; give a time such as 2026-11-26T08:00:00Z")
    return as_time(value, what)
