"""Processing of queries block by block, on several threads, within bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

_SMALLEST_BUDGET = 16 << 20
_MOST_ROWS = 256
_MOST_THREADS = 2


def default_threads() -> int:
    """Returns the number of blocks to process at once: that of the cores, at most two.

    The BLAS library under numpy usually runs the matrix product on all cores; a second block keeps
    them busy between products.
    """
    return min(_MOST_THREADS, os.cpu_count() or 1)


def rows_in_block(row_bytes: int, feature_bytes: int, threads: int) -> int:
    """Returns the number of queries per block, from 1 to 256.

    The scores of all blocks in process take at most 16 MiB or a tenth of the features, whichever is
    more, unless a block of a single query takes more.

    Args:
        row_bytes: bytes of one query's scores.
        feature_bytes: bytes of all features.
        threads: blocks processed at once.
    """
    budget = max(_SMALLEST_BUDGET, feature_bytes // 10) // threads
    return min(_MOST_ROWS, max(1, budget // max(1, row_bytes)))


def over_blocks(
    work: Callable[[NDArray[np.int64]], T], count: int, size: int, threads: int
) -> Iterator[tuple[NDArray[np.int64], T]]:
    """Yields every block of ``range(count)`` with the result of ``work`` for it, in order.

    Args:
        work: called with the indices of one block, on any thread.
        count: number of indices.
        size: indices per block; the last block may be shorter.
        threads: concurrent calls.
    """
    blocks = [np.arange(start, min(start + size, count)) for start in range(0, count, size)]
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from zip(blocks, pool.map(work, blocks), strict=True)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
