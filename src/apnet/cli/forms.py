"""The form in which a command prints its result: text, JSON, CSV or LaTeX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from apnet.cli.terminal import say, say_json
from apnet.errors import ConfigError

if TYPE_CHECKING:
    from apnet.tables import Table

Form = Literal["text", "json", "csv", "latex"]


@dataclass(frozen=True)
class Result:
    """What a command found, in every form; only the one that is printed is made."""

    text: Callable[[], str]
    json: Callable[[], Any]
    table: Callable[[], Table]

    def say(self, form: Form) -> None:
        """Prints it on standard output."""
        forms: dict[Form, Callable[[], None]] = {
            "text": lambda: say(self.text()),
            "json": lambda: say_json(self.json()),
            "csv": lambda: say(self.table().csv()),
            "latex": lambda: say(self.table().latex()),
        }
        forms[form]()


def chosen_form(*, json: bool, csv: bool, latex: bool) -> Form:
    """Returns the form that the flags name.

    Raises:
        ConfigError: they name two.
    """
    flags: dict[Form, bool] = {"json": json, "csv": csv, "latex": latex}
    named = [form for form, given in flags.items() if given]
    if len(named) > 1:
        both = " and ".join(f"--{form}" for form in named)
        raise ConfigError(f"{both}: choose one form of output")
    return named[0] if named else "text"
