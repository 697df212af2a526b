"""A white sheet on which pictures and text are placed, drawn with Pillow."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

GAP = 10
LINE = 17
_INK = (24, 24, 28)
_FAINT = (110, 110, 118)
_PAPER = (255, 255, 255)
_FONT_SIZE = 13
_TITLE_SIZE = 16


class Canvas:
    """A white sheet, with its picture in ``image``.

    Args:
        size: width and height in pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.image = Image.new("RGB", size, _PAPER)
        self._draw = ImageDraw.Draw(self.image)
        self._font = ImageFont.load_default(_FONT_SIZE)
        self._title = ImageFont.load_default(_TITLE_SIZE)

    def title(self, at: tuple[int, int], text: str) -> None:
        """Writes a heading at (x, y); one wider than the sheet is shortened in its middle."""
        self._write(at, text, self.image.width - at[0] - GAP, self._title, _INK)

    def caption(self, at: tuple[int, int], text: str, width: int, *, faint: bool = False) -> None:
        """Writes one line at (x, y); one wider than ``width`` pixels is shortened in its middle."""
        self._write(at, text, width, self._font, _FAINT if faint else _INK)

    def paste(self, at: tuple[int, int], picture: Image.Image) -> None:
        """Places a picture with its upper left corner at (x, y)."""
        self.image.paste(picture, at)

    def _write(
        self,
        at: tuple[int, int],
        text: str,
        width: int,
        font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
        ink: tuple[int, int, int],
    ) -> None:
        line = "".join(letter if letter.isprintable() else "?" for letter in text)
        keep = len(line)
        shown = line
        while font.getlength(shown) > width and keep > 2:
            keep -= 1
            shown = line[: (keep + 1) // 2] + "..." + line[len(line) - keep // 2 :]
        self._draw.text(at, shown, font=font, fill=ink)
