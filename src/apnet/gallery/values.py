"""Checks and readings of what people give a gallery: names, cameras, metadata, times, periods."""

from __future__ import annotations

import datetime
import json
import re
import time as clock
from collections.abc import Mapping
from numbers import Real
from typing import Any

from apnet.arguments import described
from apnet.errors import GalleryError
from apnet.files import shortened

LONGEST_NAME = 200
"""Characters of the longest name of an identity or camera."""

MOST_METADATA = 16_384
"""Bytes of the largest metadata of an identity, as JSON."""

LONGEST_SOURCE = 4096
"""Characters of the longest source of an image."""

_PERIOD = re.compile(r"(\d{1,6})\s*([smhdwy])", re.ASCII)
_SECONDS_TEXT = re.compile(r"\d{1,12}(\.\d{1,20})?", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_557_600}
_LATEST = 253_402_300_800.0  # the year 10000


def checked_name(name: object, what: str = "name") -> str:
    """Returns a name of an identity or camera, without blanks around it.

    Raises:
        TypeError: it is no text.
        GalleryError: it is empty, too long, or holds characters that cannot be printed.
    """
    if not isinstance(name, str):
        raise TypeError(f"a {what} must be text, got {described(name)}")
    text = name.strip()
    if not text:
        raise GalleryError(f"the {what} is empty; give one of 1 to {LONGEST_NAME} characters")
    if len(text) > LONGEST_NAME:
        raise GalleryError(
            f"the {what} '{shortened(text, 40)}' has {len(text):,} characters; use at most "
            f"{LONGEST_NAME}"
        )
    if not text.isprintable():
        raise GalleryError(
            f"the {what} {shortened(ascii(text), 60)} holds characters that cannot be printed; "
            "leave them out"
        )
    return text


def checked_camera(camera: object) -> str:
    """Returns the name of a camera; nothing, and the number -1, mean an unknown one: ``""``."""
    if camera is None or camera == "" or camera == -1:
        return ""
    return checked_name(str(camera) if isinstance(camera, int) else camera, "camera")


def checked_source(source: object) -> str:
    """Returns a source: any text of at most ``LONGEST_SOURCE`` characters."""
    text = "" if source is None else str(source)
    if len(text) > LONGEST_SOURCE:
        raise GalleryError(
            f"the source '{shortened(text, 40)}' has {len(text):,} characters; use at most "
            f"{LONGEST_SOURCE:,}"
        )
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")


def checked_metadata(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns metadata that can be kept as JSON.

    Raises:
        TypeError: it is no mapping.
        GalleryError: a key is no text, a value is nothing that JSON holds, or it is too large.
    """
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise TypeError(f"metadata must map names to values, got {described(metadata)}")
    if not all(isinstance(key, str) for key in metadata):
        raise GalleryError("metadata: its names must be text")
    try:
        text = json.dumps(dict(metadata), allow_nan=False)
        text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise GalleryError(
            f"metadata cannot be kept as JSON ({shortened(str(error))}); use texts, finite "
            "numbers, true, false, lists and objects"
        ) from None
    if len(text) > MOST_METADATA or "\\u0000" in text:
        raise GalleryError(
            f"metadata of {len(text):,} bytes; use at most {MOST_METADATA:,} bytes, without "
            "NUL characters"
        )
    values: dict[str, Any] = json.loads(text)
    return values


def as_time(value: object, what: str = "time") -> float | None:
    """Returns a moment as seconds since 1970 in UTC; nothing means unknown.

    Args:
        value: a ``datetime`` with a zone, ISO 8601 text with a zone (``2026-11-26T08:00:00Z``), or
            seconds since 1970, also as text.
        what: its name, for errors.

    Raises:
        TypeError: it is of another type.
        GalleryError: it is no such text, has no zone, or lies outside the years 1970 to 9999.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        written = value.strip()
        value = float(written) if _SECONDS_TEXT.fullmatch(written) else _read_time(written, what)
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise GalleryError(
                f"{what} {value.isoformat()} has no zone; write {value.isoformat()}Z for UTC or "
                f"{value.isoformat()}+01:00"
            )
        value = value.timestamp()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"a {what} must be a datetime, ISO 8601 text or seconds since 1970, got "
            f"{described(value)}"
        )
    seconds = float(value)
    if not 0 <= seconds < _LATEST:
        raise GalleryError(f"{what} {seconds:g} lies outside the years 1970 to 9999")
    return seconds


def _read_time(text: str, what: str) -> datetime.datetime:
    written = text
    if written[-1:] in ("Z", "z"):  # which Python 3.10 does not read
        written = written[:-1] + "+00:00"
    try:
        return datetime.datetime.fromisoformat(written)
    except ValueError:
        raise GalleryError(
            f"{what} '{shortened(text, 40)}' is no time; write 2026-11-26T08:00:00Z"
        ) from None


def as_period(value: object) -> float | None:
    """Returns a period in seconds; nothing and ``none`` mean no limit.

    Args:
        value: text such as ``30d`` (s, m, h, d, w, y), a ``timedelta``, or seconds above 0.

    Raises:
        GalleryError: it is none of these.
    """
    if value is None or value == "none":
        return None
    match = _PERIOD.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is not None:
        seconds: float = int(match[1]) * _SECONDS[match[2]]
    elif isinstance(value, datetime.timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    else:
        seconds = 0.0
    if not 0 < seconds < _LATEST:
        raise GalleryError(
            f"{shortened(str(value), 40)!r} is no period; write a number and s, m, h, d, w or y, "
            "such as 30d"
        )
    return seconds


def now() -> float:
    """Returns the seconds since 1970 in UTC."""
    return clock.time()


def time_text(seconds: float | None) -> str:
    """Returns a moment as ISO 8601 text in UTC, to the second; nothing for an unknown one."""
    if seconds is None:
        return ""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
