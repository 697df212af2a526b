"""What a gallery holds and takes, as values: facts, identities, images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apnet.display import summarised

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@summarised
@dataclass(frozen=True, repr=False)
class GalleryFacts:
    """What a gallery is bound to from its creation.

    Attributes:
        feature_dim: numbers per feature, 1 or more.
        fingerprint: of the network that fills it; empty for features of another toolkit.
        image_size: height and width that images are resized to; ``None`` without a network.
        flip: whether features include the mirror image.
        network: where the network was loaded from, empty for the shipped one; a hint only.
        thumbnails: whether it keeps small pictures of the images.
        keep: seconds that an image is kept after it was taken, or added where that is unknown;
            ``None`` for no limit.
        created: seconds since 1970 in UTC.
    """

    feature_dim: int
    fingerprint: str = ""
    image_size: tuple[int, int] | None = None
    flip: bool = True
    network: str = ""
    thumbnails: bool = False
    keep: float | None = None
    created: float = 0.0


@dataclass(frozen=True)
class Sighting:
    """Where and when an image was taken, and where it came from; all may be unknown."""

    camera: str = ""
    time: float | None = None
    source: str = ""


@dataclass(frozen=True, eq=False)
class NewImage:
    """One image to add.

    Attributes:
        feature: (D,) float32, of length 1; ``None`` for an image that is there already.
        digest: 32 bytes that tell whether the same image is there already.
        sighting: camera, time and source.
        name: of its identity, ``None`` for an image without one.
        metadata: of the identity, merged into what is known of it.
        thumbnail: a JPEG file's bytes, or none.
        added: when it was added, in seconds since 1970; ``None`` for now.
    """

    feature: NDArray[np.float32] | None
    digest: bytes
    sighting: Sighting = field(default_factory=Sighting)
    name: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    thumbnail: bytes | None = None
    added: float | None = None


@dataclass(frozen=True)
class HeldImage:
    """One image of a gallery; ``time`` and ``added`` are seconds since 1970 in UTC."""

    id: int
    name: str | None
    camera: str
    time: float | None
    source: str
    added: float
    digest: bytes


@summarised
@dataclass(frozen=True, repr=False)
class Identity:
    """A person of a gallery, with the number of images and what else is known."""

    id: int
    name: str
    metadata: Mapping[str, Any]
    images: int
    cameras: tuple[str, ...] = ()


@dataclass(frozen=True)
class AuditLine:
    """One line of the audit log: when, who, what, how many; it never holds a person's name.

    Attributes:
        time: seconds since 1970 in UTC.
        user: of the operating system who gave the command.
        action: ``add``, ``search``, ``erase``, ...
        count: images or identities that it was about.
        identity: number of the identity, ``None`` for several, none, or one that was erased.
    """

    time: float
    user: str
    action: str
    count: int
    identity: int | None
