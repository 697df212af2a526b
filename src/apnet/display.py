"""How results show themselves: a few lines of text, and HTML for notebooks.

The HTML has no colours of its own, so that it is readable on light and dark pages.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, TypeVar

from apnet.files import shortened

LONGEST = 200
"""Longer values are shortened in their middle."""

T = TypeVar("T")

_LINES = 9
_CELL = "padding:2px 10px;text-align:left;border-bottom:1px solid rgba(128,128,128,.35)"


def summarised(cls: type[T]) -> type[T]:
    """Gives a dataclass a ``repr`` of at most ten lines, and a table for notebooks.

    Both show its fields, or what its method ``_rows`` returns (a mapping of names to values), below
    its name, or what its method ``_title`` returns. Arrays are shown as type and shape.
    """

    def text(self: Any) -> str:
        return text_summary(_title_of(self), _rows_of(self))

    def html(self: Any) -> str:
        return html_summary(_title_of(self), _rows_of(self))

    cls.__repr__ = text  # type: ignore[method-assign]
    cls._repr_html_ = html  # type: ignore[attr-defined]
    return cls


def text_summary(title: str, rows: Mapping[str, object]) -> str:
    """Returns a title and one indented line per row; ten lines at most, for a ``repr``."""
    wide = max(map(len, rows), default=0)
    lines = [f"  {name:<{wide}}  {_short(value)}" for name, value in rows.items()]
    if len(lines) > _LINES:
        lines[_LINES - 1 :] = [f"  ... and {len(lines) - _LINES + 1} more"]
    return "\n".join([title, *lines])


def html_summary(title: str, rows: Mapping[str, object]) -> str:
    """Returns a title and a table of names and values, for a notebook."""
    return html_table(title, (), [(name, _short(value)) for name, value in rows.items()])


def html_table(
    title: str, header: Sequence[str], rows: Sequence[Sequence[object]], note: str = ""
) -> str:
    """Returns a table for a notebook; all text is escaped.

    Args:
        title: above it.
        header: names of the columns; empty for none.
        rows: cells; ``Html`` as it is, anything else as text.
        note: below it.
    """
    head = "".join(f'<th scope="col" style="{_CELL}">{escape(name)}</th>' for name in header)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{_cell(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f'<div style="overflow-x:auto"><strong>{escape(title)}</strong>'
        f'<table style="border-collapse:collapse">{f"<thead><tr>{head}</tr></thead>" * bool(head)}'
        f"<tbody>{body}</tbody></table>{f'<small>{escape(note)}</small>' * bool(note)}</div>"
    )


def html_pictures(
    title: str, pictures: Sequence[bytes], texts: Sequence[str], note: str = ""
) -> str:
    """Returns pictures below each other for a notebook, as wide as the page at most.

    Args:
        title: above them.
        pictures: PNG or JPEG files' bytes.
        texts: what each shows, for readers who do not see it.
        note: below them.
    """
    shown = "".join(
        html_picture(png, text, "max-width:100%;margin:4px 0;display:block")
        for png, text in zip(pictures, texts, strict=True)
    )
    return (
        f"<div><strong>{escape(title)}</strong>{shown}"
        f"{f'<small>{escape(note)}</small>' * bool(note)}</div>"
    )


def html_picture(picture: bytes, text: str, style: str) -> Html:
    """Returns an image element that holds the picture itself.

    Args:
        picture: a PNG or JPEG file's bytes.
        text: what it shows.
        style: CSS of the element.
    """
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    data = base64.b64encode(picture).decode("ascii")
    return Html(f'<img alt="{escape(text)}" src="data:image/{kind};base64,{data}" style="{style}">')


class Html(str):
    """Text that is HTML already, such as an image tag; ``html_table`` does not escape it."""

    __slots__ = ()


def _cell(value: object) -> str:
    return value if isinstance(value, Html) else escape(str(value))


def _title_of(instance: Any) -> str:
    return str(instance._title()) if hasattr(instance, "_title") else type(instance).__name__


def _rows_of(instance: Any) -> Mapping[str, object]:
    if hasattr(instance, "_rows"):
        return dict(instance._rows())
    return {each.name: getattr(instance, each.name) for each in dataclasses.fields(instance)}


def _short(value: object) -> str:
    if hasattr(value, "dtype") and getattr(value, "shape", None):
        return f"{value.dtype} {tuple(value.shape)}"  # type: ignore[attr-defined]
    return shortened(" ".join(str(value).split()), LONGEST)
