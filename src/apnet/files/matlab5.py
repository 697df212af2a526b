"""Reads MATLAB files of versions 5 to 7.2: matrices of numbers, text and cell arrays of text.

Written out here, because scipy's reader ends the process on some damaged files. The layout is that
of "MAT-File Format" (MathWorks): 128 bytes of header, then elements, each with its type and size in
8 bytes (4 for at most 4 bytes of data) and padded to 8 bytes; an element that is compressed holds
another one.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADER, _TAG = 128, 8
_MATRIX, _COMPRESSED = 14, 15
_CELL, _CHAR = 1, 4
_COMPLEX = 0x0800
_Element = tuple[int, memoryview, int]
"""Type, data, and the place behind it."""

_HEAD = 1 << 12
"""Bytes of a compressed element that are decompressed for its name."""

_CLASSES = {
    **{6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2"},
    **{12: "i4", 13: "u4", 14: "i8", 15: "u8"},
}
"""Types of matrices by their class."""

_STORED = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4"},
    **{7: "f4", 9: "f8", 12: "i8", 13: "u8"},
}
"""Types in which an element holds numbers, which may be smaller than the matrix's own."""

_TEXT = {2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
"""Encodings of text by the type of its element."""


def read_variables(path: Path) -> dict[str, Variable]:
    """Returns the variables of a file by name; their values are not yet read.

    Raises:
        ValueError: it is no such file, or damaged; other errors of ``struct`` and ``zlib`` too.
    """
    data = np.memmap(path, np.uint8, "r").data
    orders = {b"IM": "<", b"MI": ">"}
    mark = bytes(data[_HEADER - 2 : _HEADER])
    if mark not in orders:
        raise ValueError("not of version 5, 7 or 7.3")
    order = orders[mark]
    found = [_variable(kind, body, order) for kind, body, _ in _elements(data, _HEADER, order)]
    return {each.name: each for each in found if each.name}


@dataclass(frozen=True)
class Variable:
    """One array of a file: its name, class, shape, and the place of its values."""

    name: str
    kind: int
    shape: tuple[int, ...]
    _data: memoryview
    _start: int
    _packed: bool
    _order: str

    def value(self) -> NDArray[Any] | None:
        """Returns the array; texts as one text per row or cell; ``None`` of any other kind.

        Raises:
            ValueError: it is damaged; other errors of ``struct`` and ``zlib`` too.
        """
        data = _unpacked(self._data, self._order) if self._packed else self._data
        elements = _elements(data, self._start, self._order)
        if self.kind in _CLASSES:
            stored, body, _ = next(elements)
            values = np.frombuffer(body, self._order + _STORED[stored])
            self._check(values.size)
            return values.reshape(self.shape, order="F").astype(_CLASSES[self.kind], copy=False)
        if self.kind == _CHAR:
            return self._rows(elements)
        if self.kind == _CELL:
            cells = [_variable(kind, body, self._order) for kind, body, _ in elements]
            self._check(len(cells))
            if all(cell.kind == _CHAR and cell.shape[0] <= 1 for cell in cells):
                texts = [cell.value() for cell in cells]
                return np.array([text[0] if text is not None else "" for text in texts], np.str_)
        return None

    def _rows(self, elements: Iterator[_Element]) -> NDArray[Any]:
        """Returns the rows of a matrix of characters, without the spaces that fill them."""
        stored, body, _ = next(elements, (16, memoryview(b""), 0))
        encoding = _TEXT[stored] + (
            "" if stored in (2, 16) else "-le" if self._order == "<" else "-be"
        )
        text = bytes(body).decode(encoding)
        if self.shape[0] <= 1:
            return np.array([text], np.str_)
        self._check(len(text))
        rows = np.array(list(text), np.str_).reshape(self.shape, order="F")
        return np.array(["".join(row).rstrip() for row in rows.tolist()], np.str_)

    def _check(self, count: int) -> None:
        if count != math.prod(self.shape):
            raise ValueError(f"'{self.name}' has {count} values for its shape {self.shape}")


def _elements(data: memoryview, at: int, order: str) -> Iterator[_Element]:
    """Yields one element after another."""
    while at < len(data):
        kind, size = struct.unpack_from(order + "II", data, at)
        if kind >> 16:  # type, size and data in 8 bytes
            kind, size, start, end = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        else:
            start, end = at + 8, at + 8 + size + (0 if kind == _COMPRESSED else -size % 8)
        if size > min(end, len(data)) - start:
            raise ValueError("it ends in the middle of an array")
        yield kind, data[start : start + size], end
        at = end


def _variable(kind: int, body: memoryview, order: str) -> Variable:
    packed = kind == _COMPRESSED
    head = body
    if packed:
        head = memoryview(zlib.decompressobj().decompress(body, _HEAD))
        kind, head = struct.unpack_from(order + "I", head)[0], head[_TAG:]
    if kind != _MATRIX:
        raise ValueError(f"an element of type {kind} where an array should be")
    if not len(head):
        return Variable("", _CHAR, (0, 0), body, 0, packed, order)  # an empty cell
    elements = _elements(head, 0, order)
    (_, flags, _), (_, shape, _), (_, name, end) = (next(elements) for _ in range(3))
    (flag,) = struct.unpack_from(order + "I", flags)
    sizes = tuple(np.frombuffer(shape, order + "i4").tolist())
    if len(sizes) < 2 or min(sizes) < 0:
        raise ValueError(f"an array of shape {sizes}")
    known = 0 if flag & _COMPLEX else flag & 0xFF
    return Variable(bytes(name).decode("ascii"), known, sizes, body, end, packed, order)


def _unpacked(body: memoryview, order: str) -> memoryview:
    """Returns the data of a compressed array, at most as long as it says itself."""
    inflate = zlib.decompressobj()
    _, size = struct.unpack(order + "II", inflate.decompress(body, _TAG))
    return memoryview(inflate.decompress(inflate.unconsumed_tail, size))
