"""Sparse rows of numbers, as far as re-ranking needs them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class SparseRows:
    """R rows of which only the entries that are not 0 are held, 12 bytes each.

    Attributes:
        starts: (R + 1,) int64; row r has the entries ``starts[r]`` to ``starts[r + 1]``.
        columns: (n,) int32, ascending within a row.
        values: (n,) float64.
    """

    starts: Indices
    columns: NDArray[np.int32]
    values: Values

    @classmethod
    def of(cls, rows: int, parts: Iterable[tuple[Indices, Indices, Values]]) -> SparseRows:
        """Joins blocks of entries (row, column, value), ascending by row and then by column.

        Args:
            rows: how many rows there are.
            parts: the blocks; rows without an entry may be left out.
        """
        counts = np.zeros(rows, dtype=np.int64)
        columns, values = [np.empty(0, np.int32)], [np.empty(0)]
        for of_entry, column, value in parts:
            counts += np.bincount(of_entry, minlength=rows)
            columns.append(column.astype(np.int32))
            values.append(value)
        starts = np.concatenate([[0], np.cumsum(counts)])
        return cls(starts, np.concatenate(columns), np.concatenate(values))

    def part(self, rows: slice) -> SparseRows:
        """Returns consecutive rows, without copying entries."""
        start, stop, _ = rows.indices(len(self.starts) - 1)
        starts = self.starts[start : stop + 1]
        entries = slice(int(starts[0]), int(starts[-1]))
        return SparseRows(starts - starts[0], self.columns[entries], self.values[entries])

    def gather(self, rows: Indices) -> tuple[Indices, Indices]:
        """Lists the entries of rows, one row after the other.

        Args:
            rows: (m,) rows, in any order, also several times.

        Returns:
            (n,) from 0 to m - 1, to which of ``rows`` an entry belongs; and (n,) its place in
            ``columns`` and ``values``.
        """
        counts = self.starts[rows + 1] - self.starts[rows]
        ends = np.cumsum(counts)
        owners = np.repeat(np.arange(len(rows)), counts)
        places = np.arange(len(owners)) + (self.starts[rows] - ends + counts)[owners]
        return owners, places

    def transposed(self, columns: int) -> SparseRows:
        """Returns the same entries by column: row c of the result is column c, of ``columns``."""
        order = np.argsort(self.columns, kind="stable")
        counts = np.bincount(self.columns, minlength=columns)
        rows = np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))
        return SparseRows(np.concatenate([[0], np.cumsum(counts)]), rows[order], self.values[order])
