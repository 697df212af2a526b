"""What the lines of ``metadata.jsonl`` may hold: types, ranges and lengths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from annotated_types import Ge, Le, MaxLen
from typing_extensions import NotRequired, TypedDict

from apnet.data.identity_numbers import MOST_ID

Pid = Annotated[int, Ge(0), Le(MOST_ID)]
Share = Annotated[float, Ge(0), Le(1)]
Word = Annotated[str, MaxLen(1000)]
Words = Annotated[list[Word], MaxLen(1000)]


class Look(TypedDict):
    """The part of a person's appearance that is read."""

    group: NotRequired[Pid | None]


class PersonLine(TypedDict):
    """A person; see ``metadata.PersonNotes``."""

    pid: Pid
    split: NotRequired[Word | None]
    look: NotRequired[Look | None]
    differs: NotRequired[Words]
    cues: NotRequired[dict[Word, Words] | None]


class ImageLine(TypedDict):
    """An image; see ``metadata.ImageNotes``."""

    image: Annotated[str, MaxLen(4096)]
    yaw: NotRequired[Annotated[float, Ge(-1e6), Le(1e6)] | None]
    occlusion: NotRequired[Share | None]
    truncation: NotRequired[Share | None]
    pixels: NotRequired[Annotated[int, Ge(0), Le(MOST_ID)] | None]
    place: NotRequired[Word | None]
    weather: NotRequired[Word | None]
    light: NotRequired[Word | None]
    changes: NotRequired[Words]


class TwinLine(TypedDict):
    """A pair of twins; see ``metadata.Twins``."""

    a: Pid
    b: Pid
    twin: Word
    differs: NotRequired[Words]


def words(values: Iterable[str] | None) -> tuple[str, ...]:
    """Returns the distinct words in their order, none for None."""
    return tuple(dict.fromkeys(values or ()))
