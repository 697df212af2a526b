"""Tables of results as CSV, for programs, and as LaTeX, for papers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Cell = str | int | float | bool | None
"""A value of a table; ``None`` where there is none."""

Show = Callable[[Cell], str]
"""How LaTeX shows a value that is not ``None``."""

PACKAGES = r"% needs \usepackage{booktabs}, and LaTeX of 2020 or later"
"""First line of every LaTeX table."""

_ESCAPED = {
    "\\": r"\textbackslash{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    **{mark: f"{{{mark}}}" for mark in "[]*"},  # behind the end of a row they would be its options
    "±": r"\textpm{}",
}


def percent(digits: int = 2) -> Show:
    """Returns what shows a fraction from 0 to 1 in percent, without the sign."""
    return lambda value: f"{100 * float(value or 0):.{digits}f}"


def fixed(digits: int) -> Show:
    """Returns what shows a number with that many digits behind the point."""
    return lambda value: f"{float(value or 0):.{digits}f}"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        key: its name in CSV; empty: LaTeX alone has it.
        label: its name in LaTeX; empty: CSV alone has it.
        show: how LaTeX shows its values.
        text: whether LaTeX sets it to the left, as text.
    """

    key: str
    label: str = ""
    show: Show = str
    text: bool = False


@dataclass(frozen=True)
class Table:
    """A table of results.

    CSV has the values as they are, one column per key, and neither caption nor notes. LaTeX has the
    columns with labels.

    Attributes:
        header: the columns; a text is a column with the same key and label.
        rows: one cell per column.
        caption: above the table in LaTeX: what it shows, under which protocol.
        notes: sentences below the table in LaTeX.

    Raises:
        ValueError: on construction, when a row has another number of cells than the header, or two
            columns have the same key.
    """

    header: Sequence[Column | str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f"a row of {len(row)} cells below {len(self.header)} columns")
        keys = [column.key for column in self._columns() if column.key]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"the column '{key}' twice")

    def csv(self) -> str:
        """Returns the table as CSV with a header line; lines end with a line feed.

        Numbers have all their digits, truth is ``true`` or ``false``, and ``None`` is empty.
        """
        chosen = [(at, each) for at, each in enumerate(self._columns()) if each.key]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.key for _, column in chosen])
        writer.writerows([_plain(row[at]) for at, _ in chosen] for row in self.rows)
        return text.getvalue()

    def latex(self) -> str:
        """Returns the table as LaTeX: a ``booktabs`` tabular in a ``table``, all text escaped."""
        chosen = [(at, each) for at, each in enumerate(self._columns()) if each.label]
        sides = "".join("l" if column.text else "r" for _, column in chosen)
        heads = " & ".join(escape_latex(column.label) for _, column in chosen)
        rows = [" & ".join(_shown(column, row[at]) for at, column in chosen) for row in self.rows]
        lines = [
            PACKAGES,
            r"\begin{table}",
            r"  \centering",
            *([rf"  \caption{{{escape_latex(self.caption)}}}"] if self.caption else []),
            rf"  \begin{{tabular}}{{{sides}}}",
            r"    \toprule",
            rf"    {heads} \\",
            r"    \midrule",
            *(rf"    {row} \\" for row in rows),
            r"    \bottomrule",
            r"  \end{tabular}",
            *(rf"  \par{{\footnotesize {escape_latex(note)}\par}}" for note in self.notes),
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"

    def _columns(self) -> list[Column]:
        return [
            Column(each, each, text=True) if isinstance(each, str) else each for each in self.header
        ]


def escape_latex(text: str) -> str:
    """Returns a text for LaTeX on one line, with everything escaped that means something there."""
    printable = "".join(mark if mark.isprintable() else " " for mark in text)
    return "".join(_ESCAPED.get(mark, mark) for mark in printable)


def _plain(value: Cell) -> str | int | float:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


def _shown(column: Column, value: Cell) -> str:
    return "" if value is None else escape_latex(column.show(value))
