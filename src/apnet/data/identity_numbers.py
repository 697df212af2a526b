"""Maps names of persons and cameras to the integers of an ``ImageRecord``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from apnet.types import JUNK_PID, NO_CAMERA

_CAMERA = re.compile(
    r"(?<![A-Za-z0-9])"
    r"(?:(?:c|cam|camera|view)(?P<joined>\d+)(?=s\d|[^A-Za-z0-9]|$)"
    r"|(?:cam|camera|view)[ _-](?P<apart>\d+)(?=[ _-]))",  # cam_1_000, but not the count in cam_000
    re.IGNORECASE,
)
_UNDERSTOOD = "c3, c3s1, cam3, camera3, view3, cam_3_"


def is_junk(name: str) -> bool:
    """Returns whether a person's name marks images that show nobody: ``-1``."""
    return name == str(JUNK_PID)


def number_names(names: Iterable[str]) -> dict[str, int]:
    """Returns a number per name; the same set of names always gets the same numbers.

    If all names are non-negative integers and no two have the same value, each keeps its value.
    Otherwise a name's number is its index in the sorted order.
    """
    ordered = sorted(set(names))
    if all(name.isascii() and name.isdecimal() for name in ordered):
        values = {name: int(name) for name in ordered}
        if len(set(values.values())) == len(values) and max(values.values(), default=0) < 2**62:
            return values
    return {name: number for number, name in enumerate(ordered)}


@dataclass(frozen=True)
class Cameras:
    """The cameras found in a list of file names.

    Attributes:
        camids: one per file name; all ``NO_CAMERA`` unless every name has a camera.
        note: a sentence on what was found.
    """

    camids: tuple[int, ...]
    note: str


def cameras_in(names: Iterable[str]) -> Cameras:
    """Reads the camera from file names.

    The name must hold the camera as a word: ``c3``, ``cam3``, ``camera3``, ``view3``, ``c3s1``; or,
    before more of the name, ``cam_3_``, ``camera-3-``, ``view 3 ``.
    """
    matches = [_CAMERA.search(name) for name in names]
    camids = tuple(int(match["joined"] or match["apart"]) for match in matches if match is not None)
    if len(camids) == len(matches):
        return Cameras(camids, f"{len(set(camids))} cameras taken from the file names")
    unknown = (NO_CAMERA,) * len(matches)
    if not camids:
        return Cameras(
            unknown,
            f"no cameras in the file names (understood are {_UNDERSTOOD}): same-camera matches "
            "count as hits",
        )
    return Cameras(
        unknown,
        f"only {len(camids):,} of {len(matches):,} file names hold a camera (understood are "
        f"{_UNDERSTOOD}): all cameras are taken as unknown, same-camera matches count as hits",
    )
