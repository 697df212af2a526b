"""Maps names of persons and cameras to the integers of an ``ImageRecord``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from apnet.errors import DataError
from apnet.files import shortened
from apnet.types import JUNK_PID, NO_CAMERA

MOST_ID = 2**31 - 1
"""The greatest pid and camid; the least is 0, and -1 marks junk and unknown cameras."""

_CAMERA = re.compile(
    r"(?<![A-Za-z0-9])"
    r"(?:(?:c|cam|camera|view)(?P<joined>\d+)(?=s\d|[^A-Za-z0-9]|$)"
    r"|(?:cam|camera|view)[ _-](?P<apart>\d+(?=[ _-])|\d\d?(?=\.|$)))",  # cam_0001.jpg is a count
    re.ASCII | re.IGNORECASE,
)
_UNDERSTOOD = "c3, c3s1, cam3, camera3, view3, cam_3"


def id_number(text: str, what: str, place: Path | str) -> int:
    """Returns the value of a pid or camid.

    Args:
        text: digits from 0 to 9, or ``-1``.
        what: ``pid`` or ``camid``, for the error.
        place: the file, and line where there are several, for the error.

    Raises:
        DataError: it is more than ``MOST_ID``.
    """
    if is_too_large(text):
        raise DataError(
            f"{place}: {what} {shortened(text, 24)} is more than {MOST_ID:,}, the greatest that is "
            "read; use smaller numbers"
        )
    return int(text.lstrip("0") or "0")


def is_too_large(text: str) -> bool:
    """Returns whether a whole number in digits from 0 to 9 is more than ``MOST_ID``."""
    digits = text.lstrip("0") or "0"
    return len(digits) > len(str(MOST_ID)) or int(digits) > MOST_ID


def is_junk(name: str) -> bool:
    """Returns whether a person's name marks images that show nobody: ``-1``."""
    return name == str(JUNK_PID)


def number_names(names: Iterable[str]) -> dict[str, int]:
    """Returns a number per name; the same set of names always gets the same numbers.

    If all names are integers from 0 to ``MOST_ID`` in digits from 0 to 9, and no two have the same
    value, each keeps its value. Otherwise a name's number is its index in the sorted order.
    """
    ordered = sorted(set(names))
    if all(_is_whole(name) and not is_too_large(name) for name in ordered):
        values = {name: int(name) for name in ordered}
        if len(set(values.values())) == len(values):
            return values
    return {name: number for number, name in enumerate(ordered)}


def renumbered_note(names: Iterable[str]) -> Iterator[str]:
    """Yields a note if ``number_names`` does not keep integers because one is too large."""
    names = set(names)
    large = [name for name in names if _is_whole(name) and is_too_large(name)]
    if large and all(map(_is_whole, names)):
        yield (
            f"persons are numbered in the order of their names, as {shortened(min(large), 24)} is "
            f"more than {MOST_ID:,}"
        )


def _is_whole(name: str) -> bool:
    return name.isascii() and name.isdecimal()


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

    The name must hold the camera as a word: ``c3``, ``cam3``, ``camera3``, ``view3``, ``c3s1``,
    ``cam_3``, ``camera-3``, ``view 3``. Three and more digits after ``cam_`` at the end of a name
    are a count of images.

    Raises:
        DataError: a camera's number is more than ``MOST_ID``.
    """
    names = tuple(names)
    matches = [_CAMERA.search(name) for name in names]
    camids = tuple(
        id_number(match["joined"] or match["apart"], "camera", shortened(name))
        for name, match in zip(names, matches, strict=True)
        if match is not None
    )
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
