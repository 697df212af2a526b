"""Products in 8-bit integers, for processors without bf16, with a bound from random rounding.

A vector a is written as s (A - u), with A the integers nearest to a / s + u, and u numbers drawn
evenly from -1/2 to 1/2; a gallery vector b as t (B - v). The u and v are drawn once, independently
of the features. Then

    a'.b' = s t (A.B - A.v - u.B + u.v),

where A.B is a product of integers, exact in 32 bits, and the rest costs one number per vector. In
every place the error of a / s is spread evenly over -1/2 to 1/2 whatever a is, and independent of
the other places (subtractive dither). Such sums of errors are sub-Gaussian, so for any two vectors

    |a.b - a'.b'| <= z sqrt((s^2 |b'|^2 + t^2 |a|^2) / 12)

except with a probability of 2 exp(-z^2 / 2), below 1e-17 at z = 9. The Cauchy-Schwarz inequality,
which holds always, gives a bound six times as wide at D = 2,048, which decides too little
(docs/decisions/0074).

B runs to 127 and A to 63 only: processors without VNNI add pairs of products in 16 bits, which then
cannot overflow. The query has the coarser steps, since its own step is known, while the bound takes
the widest step of the gallery.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from apnet.retrieval.ranking.lines import Floats, Indices
from apnet.retrieval.ranking.products import Sides

if TYPE_CHECKING:
    import torch

_QUERY, _GALLERY = 62, 126
"""Largest a / s and b / t; the dither and rounding add one at most."""

_Z = 9.0
"""Bound in standard deviations."""

_ROWS = 128
"""Gallery rows rounded at once; they fit into the processor's cache."""

_TILE = 1024
"""Gallery rows multiplied at once; likewise."""

_FLOAT32 = 2.0**-24
_STEP = 2.0**-15
"""Unit roundoff of float32, and twice the rounding error of a / s + u."""

_SMALLEST = 1e-30
"""Taken as the largest entry of a zero vector."""


@dataclass(frozen=True)
class Int8Block:
    """See ``products.Block``."""

    scores: NDArray[np.float32]
    absolute: list[float]
    relative: float = 0.0

    def row(self, place: int) -> NDArray[np.float32]:
        """Returns one query's products (G,)."""
        values: NDArray[np.float32] = self.scores[place]
        return values


class Int8Product:
    """See ``products.Product``; its copy of the gallery takes a quarter of the float32 one."""

    score_bytes = 4

    def __init__(self, sides: Sides) -> None:
        import torch

        self._query = sides.query
        self._terms = sides.query.shape[1]
        self._longest = sides.longest
        drawn = np.random.default_rng(0).random((2, self._terms), dtype=np.float32) - 0.5
        self._on_query, self._on_gallery = torch.from_numpy(drawn)  # u, v
        self._gallery, self._columns = self._rounded_gallery(sides)
        self._step = float(self._columns[1].max()) if len(self._gallery) else 0.0

    def block(self, rows: Indices) -> Int8Block:
        """Multiplies B queries with the whole gallery."""
        import torch

        block = torch.from_numpy(self._query[rows])  # (B, D), a copy
        norms = torch.linalg.vector_norm(block, dim=1).double().numpy()
        numbers, steps = _rounded(block, self._on_query, _QUERY)
        shift = numbers @ self._on_gallery - self._on_query @ self._on_gallery  # (B,)
        scores = self._products(numbers.to(torch.int8), shift[:, None], steps)
        bounds = self._bounds(norms, steps[:, 0].double().numpy()).tolist()
        return Int8Block(scores.numpy(), bounds)

    def _products(
        self, whole: torch.Tensor, shift: torch.Tensor, steps: torch.Tensor
    ) -> torch.Tensor:
        """Returns s t (A.B - A.v - u.B + u.v), (B, G) float32, tile by tile in the cache."""
        import torch

        scores = torch.empty((len(whole), len(self._gallery)))
        for start in range(0, len(self._gallery), _TILE):
            part = slice(start, start + _TILE)
            dithered, scales = self._columns[:, part]
            tile = scores[:, part]
            torch.sub(_integer_product(self._gallery[part], whole).T, shift, out=tile)
            tile -= dithered
            tile *= scales
            tile *= steps
        return scores

    def _bounds(self, norms: Floats, step: Floats) -> Floats:
        """Returns absolute bounds (B,): rounding to integers, and float32 arithmetic."""
        root = np.sqrt(self._terms)
        longest = self._longest + self._step * root  # at least |t B| and |b'|
        wide = norms + step * root  # at least |s A|
        random = _Z * np.sqrt(((step * longest) ** 2 + (self._step * norms) ** 2) / 12)
        rounded = _STEP * root * (step * longest + self._step * norms)
        dither = self._terms * _FLOAT32 * root * (wide * self._step + step * longest)
        bounds: Floats = random + rounded + dither + 16 * _FLOAT32 * wide * longest
        return bounds

    def _rounded_gallery(self, sides: Sides) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        scale = sides.scales()
        gallery = torch.empty(sides.gallery.shape, dtype=torch.int8)
        columns = torch.empty((2, len(gallery)))  # u.B, and t
        for start in range(0, len(gallery), _ROWS):
            part = slice(start, start + _ROWS)
            block = torch.from_numpy(sides.gallery[part] * scale[part])
            numbers, steps = _rounded(block, self._on_gallery, _GALLERY)
            gallery[part] = numbers
            columns[0, part] = numbers @ self._on_query
            columns[1, part] = steps[:, 0]
        return gallery, columns


@functools.cache
def int8_works() -> bool:
    """Returns whether torch multiplies integers on this processor, without overflow."""
    import torch

    signs = torch.tensor([1, -1], dtype=torch.int8).repeat(8, 16)  # (8, 32)
    try:
        found = torch._int_mm(127 * signs, (63 * signs).T)
    except (RuntimeError, AttributeError):
        return False
    return bool((found == 127 * 63 * 32).all())


def _integer_product(gallery: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """Returns (G, B) int32 of (G, D) and (B, D) int8; torch 2.14 is wrong for a single term."""
    import torch

    if gallery.shape[1] == 1:
        return gallery.int() * whole.int().T
    return torch._int_mm(gallery, whole.T)


def _rounded(
    block: torch.Tensor, dither: torch.Tensor, largest: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns whole numbers (N, D) as float32, and the steps (N, 1) between them."""
    steps = block.abs().amax(dim=1, keepdim=True).clamp_min(_SMALLEST) / largest
    numbers = block / steps
    numbers += dither
    return numbers.round_(), steps
