"""Looking things up by name, with the closest name offered where there is none."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from apnet.errors import ConfigError

_T = TypeVar("_T")


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
    close = difflib.get_close_matches(str(name), table, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(table)}"
    raise ConfigError(f"no {what} is called '{name}'; {hint}")
