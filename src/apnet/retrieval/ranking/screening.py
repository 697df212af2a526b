"""Screening in bf16: matrix products with half the memory traffic and a proven error bound.

A query a and a gallery vector b are rounded to bf16 vectors a' and b'. Their rounding errors are
known, so by the Cauchy-Schwarz inequality

    |a.b - a'.b'| <= |a - a'| |b| + |a'| |b - b'|.

The product itself adds at most D u |a'| |b'| for a sum of D terms in float32 in any order, and
rounding its result to bf16 at most 2^-8 of it. That is about 0.004 |a| |b| at D = 2,048. It decides
nearly all comparisons between a match and another image; the others are repeated with refined
scores (``candidates``). For the cosine the gallery vectors are first divided by their lengths.

torch is imported only where the product is large enough, and ``auto`` chooses bf16 only where the
processor multiplies it natively. On a GPU the rounded vectors are stored as float32, which TF32
represents exactly. For every query the errors of some scores are compared with the bound, so that
a library that violates it is detected (docs/decisions/0035).
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from apnet.results import Distance

if TYPE_CHECKING:
    import torch

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]

_ROWS = 128
"""Gallery rows rounded at once; they fit into the processor's cache."""

_GROUP = 16
"""Number of scores of which ``nearest`` takes the maximum first."""

_WORTH_WITH_TORCH = 4e9
_WORTH_A_TORCH_IMPORT = 1e12
"""Multiplications from which bf16 is faster if torch is imported already, and if it is not: about
0.1 s and 15 s in float32."""

_FEWEST_QUERIES = 256
"""Minimum number of queries; rounding the gallery takes the time that 80 queries save."""

_BF16 = 2.0**-8
_FLOAT32 = 2.0**-24
_ON_DEVICE = 2.0**-22
"""Unit roundoffs; for sums on a GPU four times that of float32, as some hardware truncates."""


@dataclass(frozen=True)
class Line:
    """One query's screened scores; the true score of a value v is within absolute + relative |v|.

    Attributes:
        values: (G,) float32.
        absolute: absolute error bound, >= 0.
        relative: relative error bound, from 0, below 0.5.
    """

    values: NDArray[np.float32]
    absolute: float
    relative: float

    def lowest(self, scores: Floats) -> Floats:
        """Returns limits: for values below one the true score is lower than that of ``scores``."""
        shifted = scores - self.absolute
        found: Floats = shifted - self.relative / (1 - self.relative) * np.abs(shifted)
        return found

    def highest(self, scores: Floats) -> Floats:
        """Returns limits: for values above one the true score is higher than that of ``scores``."""
        return -self.lowest(-scores)

    def reaching(self, score: float) -> Indices:
        """Returns the gallery indices whose true score may be ``score`` or higher, ascending."""
        return self._above(self.lowest(np.array(score)))

    def nearest(self, count: int) -> Indices:
        """Returns ascending gallery indices that include the ``count`` highest true scores."""
        groups = len(self.values) // _GROUP
        values = self.values
        if groups >= 4 * count:  # the maxima of groups: fewer values, and a limit that is no higher
            values = values[: groups * _GROUP].reshape(_GROUP, groups).max(axis=0)
        value = float(np.partition(values, len(values) - count)[len(values) - count])
        return self.reaching(value - self.absolute - self.relative * abs(value))

    def holds(self, columns: Indices, scores: Floats) -> bool:
        """Returns whether the error bound holds for these true scores."""
        values = self.values[columns]
        return bool(np.all(np.abs(values - scores) <= self.absolute + self.relative * abs(values)))

    def _above(self, limit: Floats) -> Indices:
        rounded = np.nextafter(np.float32(limit), np.float32(-np.inf))
        found: Indices = (self.values >= rounded).nonzero()[0]
        return found


class Screener:
    """Computes scores of blocks of queries in bf16 on one device.

    Its copy of the gallery takes half the memory of the float32 one (on a GPU as much).

    Args:
        query: (Q, D) float32; norms are 0 or from 1e-12 to 1e12.
        gallery: (G, D), likewise.
        squares: (G,) squared lengths of the gallery vectors.
        distance: ``cosine`` (scores a.b / |b|) or ``euclidean`` (scores a.b - |b|^2 / 2).
        device: a torch device.
    """

    def __init__(
        self,
        query: NDArray[np.float32],
        gallery: NDArray[np.float32],
        squares: Floats,
        distance: Distance,
        device: str,
    ) -> None:
        self._query = query
        self._distance = distance
        self._device = device
        self._offset = (squares / 2).astype(np.float32)
        self._longest = 1.0 if distance == "cosine" else float(np.sqrt(squares.max(initial=0.0)))
        lengths = np.sqrt(squares) if distance == "cosine" else np.ones_like(squares)
        self._gallery, self._gallery_error = _rounded(gallery, lengths, device)
        self._decided = self._undecided = 0

    @property
    def row_bytes(self) -> int:
        """Memory of one query's screened scores in bytes."""
        return len(self._offset) * (2 if self._device == "cpu" else 4)

    @property
    def useful(self) -> bool:
        """Whether it has decided at least three in four queries; otherwise float32 is faster."""
        return 3 * self._undecided <= self._decided

    def count(self, decided: int, undecided: int) -> None:
        """Counts the queries of a block that bf16 has decided and not decided."""
        self._decided += decided
        self._undecided += undecided

    def lines(self, rows: Indices) -> _Lines:
        """Returns the screened scores of B queries; each line is made when it is asked for."""
        import torch

        block = torch.from_numpy(self._query[rows])  # (B, D), a copy
        rounded = block.bfloat16()
        errors = torch.linalg.vector_norm(block - rounded, dim=1).double().numpy()
        norms = torch.linalg.vector_norm(block, dim=1).double().numpy()
        written, unit = (_BF16, _FLOAT32) if self._device == "cpu" else (_FLOAT32, _ON_DEVICE)
        scores = torch.mm(rounded.to(self._gallery), self._gallery.T).cpu()  # (B, G)
        return _Lines(self, scores, self._bounds(norms, errors, unit), written)

    def line(self, scores: torch.Tensor, absolute: float, relative: float) -> Line:
        """Returns one query's line from its row of the product and its error bounds."""
        values = scores.float().numpy()
        if self._distance == "cosine":
            return Line(values, absolute, relative)
        peak = float(max(values.max(initial=0.0), -values.min(initial=0.0)))
        return Line(values - self._offset, absolute + relative * peak, 0.0)

    def _bounds(self, norms: Floats, errors: Floats, unit: float) -> Floats:
        """Returns absolute bounds (B,): rounding of both sides, sums, and float32 arithmetic."""
        terms = self._query.shape[1]
        wide = norms + errors  # at least |a'|
        rounding = errors * self._longest + wide * self._gallery_error
        sums = terms * unit * wide * (self._longest + self._gallery_error)
        offset = self._longest**2 / 2 if self._distance == "euclidean" else 0.0
        small = 8 * _FLOAT32 * (wide * self._longest + offset)
        bounds: Floats = (rounding + sums) * (1 + 2 * terms * _FLOAT32) + small
        return bounds


class _Lines:
    """The lines of a block of queries, by position in the block."""

    def __init__(
        self, screener: Screener, scores: torch.Tensor, bounds: Floats, relative: float
    ) -> None:
        self._screener = screener
        self._scores = scores
        self._bounds = bounds.tolist()
        self._relative = relative

    def __getitem__(self, place: int) -> Line:
        return self._screener.line(self._scores[place], self._bounds[place], self._relative)


def screening_device(wanted: str, queries: int, numbers: int) -> str | None:
    """Returns the torch device to screen on, or ``None`` to screen in numpy.

    Args:
        wanted: ``auto``: the CPU, if it multiplies bf16 natively and the product is large (very
            large, if torch is not imported yet); ``numpy``: never; else a torch device.
        queries: Q; for few queries rounding the gallery does not pay.
        numbers: G x D.

    Raises:
        ConfigError: the device is not available.
    """
    if wanted == "numpy":
        return None
    if wanted != "auto":
        from apnet.devices import choose_device

        return str(choose_device(wanted))
    loaded = "torch" in sys.modules
    least = _WORTH_WITH_TORCH if loaded else _WORTH_A_TORCH_IMPORT
    if queries < _FEWEST_QUERIES or float(queries) * numbers < least:
        return None
    if not loaded and importlib.util.find_spec("torch") is None:
        return None
    import torch

    from apnet.devices import choose_precision

    return "cpu" if choose_precision("auto", torch.device("cpu")) == "bf16" else None


def _rounded(
    features: NDArray[np.float32], lengths: Floats, device: str
) -> tuple[torch.Tensor, float]:
    """Returns the features over their lengths in bf16, and the largest rounding error of a row."""
    import torch

    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    scale = scale.astype(np.float32)[:, None]
    stored = torch.bfloat16 if device == "cpu" else torch.float32
    rounded = torch.empty(features.shape, dtype=stored, device=device)
    most = 0.0
    for start in range(0, len(features), _ROWS):
        block = slice(start, start + _ROWS)
        exact = torch.from_numpy(features[block] * scale[block])
        narrow = exact.bfloat16()
        rounded[block] = narrow
        exact -= narrow
        most = max(most, float(torch.linalg.vector_norm(exact, dim=1).max()))
    return rounded, most
