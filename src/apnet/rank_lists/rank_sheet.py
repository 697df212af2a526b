"""Pictures of rank lists: a query and what was found for it, right and wrong told by shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from apnet.explanation.canvas import GAP, LINE, Canvas
from apnet.rank_lists.thumbnails import SIZE

PER_LINE = 10
"""Found images beside each other; further ones follow on the next line."""

_RIGHT, _WRONG, _UNKNOWN = (0, 122, 72), (200, 60, 20), (150, 150, 156)
_FRAME = 3
_MARK = 18
_CELL = (SIZE[0] + 2 * _FRAME + GAP, SIZE[1] + 2 * _FRAME + 2 * LINE + GAP)
_KEY = (
    "tick and solid frame: the query's identity",
    "cross and broken frame: another identity",
)


@dataclass(frozen=True)
class RankedImage:
    """One image of a list: picture (``None``: not there), two lines, whether it is right."""

    image: Image.Image | None
    label: str
    person: str
    correct: bool | None


@dataclass(frozen=True)
class RankRow:
    """A query and what was found for it, nearest first."""

    title: str
    image: Image.Image | None
    person: str
    found: Sequence[RankedImage]


def draw_rank_rows(rows: Sequence[RankRow]) -> Image.Image:
    """Draws rank lists below each other, ``PER_LINE`` images per line.

    Args:
        rows: at least one; pictures are drawn at their size, at most ``SIZE``.
    """
    columns = max(min(max((len(row.found) for row in rows), default=0), PER_LINE), 1)
    width = (columns + 1) * _CELL[0] + 3 * GAP
    known = any(each.correct is not None for row in rows for each in row.found)
    height = sum(_height(row) for row in rows) + GAP + (len(_KEY) * LINE if known else 0)
    canvas = Canvas((max(width, 460), height))
    top = GAP
    for row in rows:
        canvas.caption((GAP, top), row.title, canvas.image.width - 2 * GAP)
        _draw(canvas, (GAP, top + LINE), RankedImage(row.image, "query", row.person, None))
        for index, found in enumerate(row.found):
            line, column = divmod(index, PER_LINE)
            left = 3 * GAP + (column + 1) * _CELL[0]
            _draw(canvas, (left, top + LINE + line * _CELL[1]), found)
        top += _height(row)
    for number, text in enumerate(_KEY if known else ()):
        place = (GAP, top + number * LINE)
        canvas.caption(place, text, canvas.image.width - 2 * GAP, faint=True)
    return canvas.image


def _height(row: RankRow) -> int:
    return max(-(-len(row.found) // PER_LINE), 1) * _CELL[1] + LINE + GAP


def _draw(canvas: Canvas, at: tuple[int, int], shown: RankedImage) -> None:
    left, top = at
    box = (left, top, left + SIZE[0] + 2 * _FRAME - 1, top + SIZE[1] + 2 * _FRAME - 1)
    if shown.image is None:
        canvas.caption((left + GAP, top + SIZE[1] // 2), "no picture", SIZE[0] - GAP, faint=True)
    else:
        place = (
            left + _FRAME + (SIZE[0] - shown.image.width) // 2,
            top + _FRAME + (SIZE[1] - shown.image.height) // 2,
        )
        canvas.paste(place, shown.image)
    pen = ImageDraw.Draw(canvas.image)
    if shown.correct is None:
        pen.rectangle(box, outline=_UNKNOWN, width=1)
    elif shown.correct:
        pen.rectangle(box, outline=_RIGHT, width=_FRAME)
        _tick(pen, (left, top))
    else:
        _broken_frame(pen, box)
        _cross(pen, (left, top))
    below = top + SIZE[1] + 2 * _FRAME + 1
    canvas.caption((left, below), shown.label, _CELL[0] - 4)
    canvas.caption((left, below + LINE - 2), shown.person, _CELL[0] - 4, faint=True)


def _broken_frame(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    for start in range(left, right, 12):
        end = min(start + 6, right)
        for y in (top, bottom - _FRAME + 1):
            pen.rectangle((start, y, end, y + _FRAME - 1), fill=_WRONG)
    for start in range(top, bottom, 12):
        end = min(start + 6, bottom)
        for x in (left, right - _FRAME + 1):
            pen.rectangle((x, start, x + _FRAME - 1, end), fill=_WRONG)


def _tick(pen: ImageDraw.ImageDraw, at: tuple[int, int]) -> None:
    x, y = at
    pen.rectangle((x, y, x + _MARK, y + _MARK), fill=_RIGHT)
    points = [(x + 4, y + 9), (x + 8, y + 13), (x + 14, y + 5)]
    pen.line(points, fill="white", width=3, joint="curve")


def _cross(pen: ImageDraw.ImageDraw, at: tuple[int, int]) -> None:
    x, y = at
    pen.rectangle((x, y, x + _MARK, y + _MARK), fill=_WRONG)
    pen.line([(x + 5, y + 5), (x + 13, y + 13)], fill="white", width=3)
    pen.line([(x + 13, y + 5), (x + 5, y + 13)], fill="white", width=3)
