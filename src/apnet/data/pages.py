"""Draws pages of images with captions: facts at the top, then blocks that wrap like text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from apnet.data.images import read_picture
from apnet.errors import ConfigError
from apnet.files import atomic_write

WIDTH, MARGIN = 1120, 20
PICTURE = (96, 192)
CELL, GAP = 108, 18
INK, GREY, RULE = (28, 28, 32), (108, 108, 116), (216, 216, 222)
HEADING, SECTION, TITLE, BODY, CAPTION = 26, 17, 14, 14, 12
FACT_INDENT = 90
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


@dataclass(frozen=True)
class Cell:
    """One image with short lines below it."""

    path: Path
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """Images with a common title."""

    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """Blocks from left to right, wrapped, below a heading (which may be empty)."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A heading, facts as (name, text), and sections from top to bottom."""

    heading: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class _Text:
    x: int
    y: int
    text: str
    size: int
    color: tuple[int, int, int] = INK


@dataclass(frozen=True)
class _Picture:
    x: int
    y: int
    path: Path


@dataclass(frozen=True)
class _Rule:
    y: int


_Item = _Text | _Picture | _Rule


def write_page(page: Page, out: Path) -> None:
    """Draws a page, 1,120 pixels wide and as high as needed, and writes it to a file.

    Args:
        page: what to draw; images are scaled to fit 96 x 192 pixels.
        out: the file; JPEG if it ends in .jpg or .jpeg, else PNG.

    Raises:
        ImageError: an image cannot be decoded.
        DataError: the picture cannot be written.
    """
    items: list[_Item] = []
    height = _place(page, items)
    sheet = Image.new("RGB", (WIDTH, height), "white")
    draw = ImageDraw.Draw(sheet)
    for item in items:
        if isinstance(item, _Text):
            draw.text((item.x, item.y), item.text, fill=item.color, font=_font(item.size))
        elif isinstance(item, _Picture):
            sheet.paste(_thumbnail(item.path), (item.x, item.y))
        else:
            draw.line((MARGIN, item.y, WIDTH - MARGIN, item.y), fill=RULE)
    save_picture(sheet, out)


def save_picture(picture: Image.Image, out: Path) -> None:
    """Writes a picture in the format of its name.

    Raises:
        ConfigError: see ``format_of_picture``.
        DataError: the file cannot be written.
    """
    kind = format_of_picture(out)
    with atomic_write(out) as part:
        picture.save(part, kind, quality=88)


def format_of_picture(out: Path) -> str:
    """Returns ``JPEG`` or ``PNG``, by the ending of a picture's name.

    Raises:
        ConfigError: it has another ending.
    """
    kind = _FORMATS.get(out.suffix.lower())
    if kind is None:
        raise ConfigError(f"{out}: name a file that ends in .png, .jpg or .jpeg")
    return kind


def _place(page: Page, items: list[_Item]) -> int:
    """Adds the positioned items of a page; returns its height."""
    items.append(_Text(MARGIN, MARGIN, page.heading, HEADING))
    y = MARGIN + _line(HEADING) + 4
    for name, text in page.facts:
        items.append(_Text(MARGIN, y, name, BODY, GREY))
        for line in wrapped(text, WIDTH - 2 * MARGIN - FACT_INDENT, BODY):
            items.append(_Text(MARGIN + FACT_INDENT, y, line, BODY))
            y += _line(BODY)
    for section in page.sections:
        y = _place_section(section, y + 8, items)
    return y + MARGIN - GAP // 2


def _place_section(section: Section, y: int, items: list[_Item]) -> int:
    items.append(_Rule(y))
    y += 10
    if section.heading:
        items.append(_Text(MARGIN, y, section.heading, SECTION))
        y += _line(SECTION) + 4
    x, bottom = MARGIN, y
    for block in section.blocks:
        titles, width = _shape(block)
        if x > MARGIN and x + width > WIDTH - MARGIN:
            x, y = MARGIN, bottom + GAP
        bottom = max(bottom, _place_block(block, titles, (x, y), items))
        x += width + GAP
    return bottom


def _shape(block: Block) -> tuple[list[str], int]:
    """Returns the lines of a block's title, and the block's width."""
    width = min(len(block.cells), (WIDTH - 2 * MARGIN) // CELL) * CELL
    titles = wrapped(block.title, max(width, 2 * CELL), TITLE)
    return titles, max([width, *(_length(line, TITLE) for line in titles)])


def _place_block(block: Block, titles: list[str], at: tuple[int, int], items: list[_Item]) -> int:
    x, y = at
    for line in titles:
        items.append(_Text(x, y, line, TITLE))
        y += _line(TITLE)
    y += 2
    per_row = (WIDTH - MARGIN - x) // CELL
    for start in range(0, len(block.cells), per_row):
        row = block.cells[start : start + per_row]
        bottoms = [
            _place_cell(cell, (x + CELL * column, y), items) for column, cell in enumerate(row)
        ]
        y = max(bottoms) + 6
    return y


def _place_cell(cell: Cell, at: tuple[int, int], items: list[_Item]) -> int:
    x, y = at
    items.append(_Picture(x, y, cell.path))
    y += PICTURE[1] + 2
    lines = (line for text in cell.lines for line in wrapped(text, CELL - 6, CAPTION))
    for line in lines:
        items.append(_Text(x, y, line, CAPTION, GREY))
        y += _line(CAPTION)
    return y


def wrapped(text: str, width: int, size: int) -> list[str]:
    """Returns text broken between words into lines of at most ``width`` pixels.

    A word that is longer gets a line of its own.
    """
    lines: list[str] = []
    for word in text.split():
        if lines and _length(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _thumbnail(path: Path) -> Image.Image:
    """Returns the image scaled to fit a cell, with its aspect ratio, on light grey."""
    framed = Image.new("RGB", PICTURE, (244, 244, 246))
    image = read_picture(path)
    scale = min(PICTURE[0] / image.width, PICTURE[1] / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.resize(size, Image.Resampling.LANCZOS)
    framed.paste(small, ((PICTURE[0] - size[0]) // 2, (PICTURE[1] - size[1]) // 2))
    return framed


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _length(text: str, size: int) -> int:
    return round(_font(size).getlength(text))


def _line(size: int) -> int:
    return round(size * 1.3)
