"""The text of a table as rows of named cells: separators, headers, and what spreadsheets write."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from apnet.errors import DataError
from apnet.files import read_text, shortened


@dataclass(frozen=True)
class TableForm:
    """What a table holds.

    Attributes:
        required: columns that it must have.
        optional: further columns that are read; a table may have others.
        expected: a description for errors.
        prefix: columns whose names begin so are read as well; none where it is empty.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    expected: str
    prefix: str = ""

    def reads(self, column: str) -> bool:
        """Returns whether a column is read."""
        prefixed = bool(self.prefix) and column.startswith(self.prefix)
        return column in self.required or column in self.optional or prefixed


DATA_SET = TableForm(
    ("path", "pid", "split"),
    ("camid",),
    "a CSV file with the columns path, pid, split and, where known, camid",
)
"""A data set's images with identity, split and camera."""

MOST_CHARACTERS = 4096
"""Characters of the longest cell that is read."""

_SEPARATORS = {",": "','", ";": "';'", "\t": "tabs"}
_SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")


@dataclass(frozen=True)
class TableText:
    """The rows of a table.

    Attributes:
        rows: pairs of line number and the texts of the cells by name of the column.
        notes: sentences on what was assumed.
        others: names of columns that are not read.
    """

    rows: tuple[tuple[int, dict[str, str]], ...]
    notes: tuple[str, ...]
    others: tuple[str, ...]


def read_table_text(table: Path, form: TableForm = DATA_SET) -> TableText:
    """Reads a table in UTF-8 whose cells are separated by commas, semicolons or tabs.

    Names of columns may have capitals and blanks around them. Rows whose cells are all empty are
    left out, as spreadsheets write them.

    Raises:
        DataError: it cannot be read, is empty, or is no such table.
    """
    if table.suffix.lower() in _SPREADSHEETS:
        raise DataError(f"{table}: a spreadsheet; export it as CSV in UTF-8")
    text = read_text(table)
    if not text.strip():
        raise DataError(f"{table}: an empty file; expected {form.expected}")
    if "\0" in text:
        raise DataError(f"{table}: holds NUL characters, as UTF-16 does; save the file as UTF-8")
    separator, header = _header(table, text, form)
    rows = tuple(_rows(table, text, separator, header, form))
    if not rows:
        raise DataError(f"{table}: no rows below its header; list the images there, one per row")
    note = f"{table.name}: its cells are separated by {_SEPARATORS[separator]}"
    others = tuple(name for name in header if not form.reads(name))
    return TableText(rows, () if separator == "," else (note,), others)


def _header(table: Path, text: str, form: TableForm) -> tuple[str, list[str]]:
    """Returns the separator whose header has the required columns, and the names of its columns."""
    headers = {separator: _first_line(table, text, separator) for separator in _SEPARATORS}
    for separator, names in headers.items():
        if set(form.required) <= set(names):
            twice = [name for name in names if form.reads(name) and names.count(name) > 1]
            if twice:
                raise DataError(f"{table}: has the column '{twice[0]}' twice; keep one")
            return separator, names
    names = max(headers.values(), key=len)
    absent = ", ".join(name for name in form.required if name not in names)
    found = shortened(", ".join(map(repr, names)))
    raise DataError(f"{table}: expected {form.expected}; its header lacks {absent}, it has {found}")


def _first_line(table: Path, text: str, separator: str) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return [name.strip().lower() for name in next(reader, [])]
    except csv.Error as error:
        raise _malformed(table, 1, error) from None


def _rows(
    table: Path, text: str, separator: str, header: Sequence[str], form: TableForm
) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        next(reader)
        for cells in reader:
            texts = [cell.strip() for cell in cells]
            if any(texts):
                place = f"{table}, line {reader.line_num}"
                yield reader.line_num, _named_cells(texts, header, form, place)
    except csv.Error as error:
        raise _malformed(table, reader.line_num, error) from None


def _named_cells(
    texts: Sequence[str], header: Sequence[str], form: TableForm, place: str
) -> dict[str, str]:
    if len(texts) != len(header):
        raise DataError(
            f"{place}: more or fewer cells than the header has columns ({len(texts)}, not "
            f"{len(header)}); correct the row"
        )
    cells = {name: text for name, text in zip(header, texts, strict=True) if form.reads(name)}
    for name, text in cells.items():
        if len(text) > MOST_CHARACTERS:
            raise DataError(
                f"{place}: the cell '{name}' has more than {MOST_CHARACTERS:,} characters; "
                "correct it"
            )
    return cells


def _malformed(table: Path, line: int, error: csv.Error) -> DataError:
    return DataError(f"{table}, line {line}: no UTF-8 CSV row ({error}); correct its quotes")
