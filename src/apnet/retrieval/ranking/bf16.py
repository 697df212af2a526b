"""Products in bf16: half the memory traffic, and a proven error bound.

A query a and a gallery vector b are rounded to bf16 vectors a' and b'. Their rounding errors are
known, so by the Cauchy-Schwarz inequality

    |a.b - a'.b'| <= |a - a'| |b| + |a'| |b - b'|.

The product itself adds at most D u |a'| |b'| for a sum of D terms in float32 in any order, and
rounding its result to bf16 at most 2^-8 of it. That is about 0.004 |a| |b| at D = 2,048
(docs/decisions/0035). On a GPU the rounded vectors are stored as float32, which TF32 represents
exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from apnet.retrieval.ranking.lines import Floats, Indices
from apnet.retrieval.ranking.products import Sides

if TYPE_CHECKING:
    import torch

_ROWS = 128
"""Gallery rows rounded at once; they fit into the processor's cache."""

_BF16 = 2.0**-8
_FLOAT32 = 2.0**-24
_ON_DEVICE = 2.0**-22
"""Unit roundoffs; for sums on a GPU four times that of float32, as some hardware truncates."""


@dataclass(frozen=True)
class Bf16Block:
    """See ``products.Block``."""

    scores: torch.Tensor
    absolute: list[float]
    relative: float

    def row(self, place: int) -> NDArray[np.float32]:
        """Returns one query's products (G,)."""
        values: NDArray[np.float32] = self.scores[place].float().numpy()
        return values


class Bf16Product:
    """See ``products.Product``; its copy of the gallery takes half the memory of the float32 one.

    Args:
        sides: what is multiplied.
        device: a torch device; on a GPU the copy takes as much as the float32 one.
    """

    def __init__(self, sides: Sides, device: str = "cpu") -> None:
        self._query = sides.query
        self._on_cpu = device == "cpu"
        self._longest = sides.longest
        self._gallery, self._gallery_error = _rounded(sides, device)
        self.score_bytes = 2 if self._on_cpu else 4

    def block(self, rows: Indices) -> Bf16Block:
        """Multiplies B queries with the whole gallery."""
        import torch

        block = torch.from_numpy(self._query[rows])  # (B, D), a copy
        rounded = block.bfloat16()
        errors = torch.linalg.vector_norm(block - rounded, dim=1).double().numpy()
        norms = torch.linalg.vector_norm(block, dim=1).double().numpy()
        written, unit = (_BF16, _FLOAT32) if self._on_cpu else (_FLOAT32, _ON_DEVICE)
        scores = torch.mm(rounded.to(self._gallery), self._gallery.T).cpu()  # (B, G)
        return Bf16Block(scores, self._bounds(norms, errors, unit).tolist(), written)

    def _bounds(self, norms: Floats, errors: Floats, unit: float) -> Floats:
        """Returns absolute bounds (B,): rounding of both sides, sums, and float32 arithmetic."""
        terms = self._query.shape[1]
        wide = norms + errors  # at least |a'|
        rounding = errors * self._longest + wide * self._gallery_error
        sums = terms * unit * wide * (self._longest + self._gallery_error)
        small = 8 * _FLOAT32 * wide * self._longest
        bounds: Floats = (rounding + sums) * (1 + 2 * terms * _FLOAT32) + small
        return bounds


def _rounded(sides: Sides, device: str) -> tuple[torch.Tensor, float]:
    """Returns the gallery in bf16, and the largest rounding error of a vector."""
    import torch

    scale = sides.scales()
    stored = torch.bfloat16 if device == "cpu" else torch.float32
    rounded = torch.empty(sides.gallery.shape, dtype=stored, device=device)
    most = 0.0
    for start in range(0, len(sides.gallery), _ROWS):
        block = slice(start, start + _ROWS)
        exact = torch.from_numpy(sides.gallery[block] * scale[block])
        narrow = exact.bfloat16()
        rounded[block] = narrow
        exact -= narrow
        most = max(most, float(torch.linalg.vector_norm(exact, dim=1).max()))
    return rounded, most
