"""Work on the queries block by block, on several threads, within a stated memory."""

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
    """Returns how many blocks to work on at once: the processor's cores, at most two.

    The matrix product brings threads of its own where the library under numpy has them; ours
    keep the cores busy in between.
    """
    return min(_MOST_THREADS, os.cpu_count() or 1)


def rows_in_block(row_bytes: int, feature_bytes: int, threads: int) -> int:
    """Returns how many queries one block takes.

    All blocks in work together hold scores of at most 16 MiB or a tenth of the features,
    whichever is more (and of at least one query each); a block has at most 256 queries.

    Args:
        row_bytes: bytes of one query's scores.
        feature_bytes: bytes of all features.
        threads: blocks in work at once.
    """
    budget = max(_SMALLEST_BUDGET, feature_bytes // 10) // threads
    return min(_MOST_ROWS, max(1, budget // max(1, row_bytes)))


def over_blocks(
    work: Callable[[NDArray[np.int64]], T], count: int, size: int, threads: int
) -> Iterator[tuple[NDArray[np.int64], T]]:
    """Yields every block of ``range(count)`` with what ``work`` made of it, in order.

    Args:
        work: called with the indices of one block, on any thread.
        count: how many indices there are.
        size: indices in a block; the last one may be shorter.
        threads: calls at once.
    """
    blocks = [np.arange(start, min(start + size, count)) for start in range(0, count, size)]
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from zip(blocks, pool.map(work, blocks), strict=True)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
