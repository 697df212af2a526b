"""Looking things up by name, with the closest name offered where there is none."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import TypeVar

from apnet.errors import ConfigError
from apnet.files import shortened

_T = TypeVar("_T")

_MOST_NAMES = 12
"""Names that a message lists."""


def look_up(what: str, name: str, table: Mapping[str, _T]) -> _T:
    """Returns an entry of a table.

    Args:
        what: what the table holds, for the message: ``schedule``.
        name: of the entry.
        table: entries by name.

    Raises:
        ConfigError: there is no such entry; the closest is offered.
    """
    if name in table:
        return table[name]
    raise ConfigError(f"no {what} is called '{shortened(str(name))}'; {closest(name, table)}")


def closest(name: str, names: Collection[str]) -> str:
    """Returns a hint for a name that is none of ``names``: the closest, or the first of them."""
    close = difflib.get_close_matches(str(name), names, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    if not names:
        return "there are none"
    more = f", and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"there are: {', '.join(list(names)[:_MOST_NAMES])}{more}"
