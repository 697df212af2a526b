"""Sparse matrices in compressed row form, with the operations that re-ranking uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class SparseRows:
    """A matrix of R rows that stores only its nonzero entries, 12 bytes each.

    Attributes:
        starts: (R + 1,) int64; row r has the entries ``starts[r]`` to ``starts[r + 1]``.
        columns: (n,) int32, ascending within a row.
        values: (n,) float64.
    """

    starts: Indices
    columns: NDArray[np.int32]
    values: Values

    @classmethod
    def of(cls, count: int, blocks: Iterable[tuple[Indices, Indices, Values]]) -> SparseRows:
        """Returns the matrix with the given entries.

        Args:
            count: number of rows.
            blocks: arrays of rows, columns and values, ascending by row and then by column.
        """
        counts = np.zeros(count, dtype=np.int64)
        columns, values = [np.empty(0, np.int32)], [np.empty(0)]
        for row, column, value in blocks:
            counts += np.bincount(row, minlength=count)
            columns.append(column.astype(np.int32))
            values.append(value)
        starts = np.concatenate([[0], np.cumsum(counts)])
        return cls(starts, np.concatenate(columns), np.concatenate(values))

    def rows(self, rows: slice) -> SparseRows:
        """Returns the matrix of some consecutive rows; entries are not copied."""
        start, stop, _ = rows.indices(len(self.starts) - 1)
        starts = self.starts[start : stop + 1]
        entries = slice(int(starts[0]), int(starts[-1]))
        return SparseRows(starts - starts[0], self.columns[entries], self.values[entries])

    def entries_of(self, rows: Indices) -> tuple[Indices, Indices]:
        """Returns the entries of given rows, row by row.

        Args:
            rows: (m,) rows in any order, with or without repetitions.

        Returns:
            Per entry, the position of its row in ``rows`` (n,), and the position of the entry in
            ``columns`` and ``values`` (n,).
        """
        counts = self.starts[rows + 1] - self.starts[rows]
        ends = np.cumsum(counts)
        owners = np.repeat(np.arange(len(rows)), counts)
        places = np.arange(len(owners)) + (self.starts[rows] - ends + counts)[owners]
        return owners, places

    def transposed(self, columns: int) -> SparseRows:
        """Returns the transposed matrix of ``columns`` rows."""
        order = np.argsort(self.columns, kind="stable")
        counts = np.bincount(self.columns, minlength=columns)
        rows = np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))
        return SparseRows(np.concatenate([[0], np.cumsum(counts)]), rows[order], self.values[order])
