"""The nearest neighbours of every image of a set, and the distance to its farthest image."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.progress import Progress
from apnet.results import Distance
from apnet.retrieval.ranking.blocks import over_blocks, rows_in_block
from apnet.retrieval.ranking.comparison import Comparison
from apnet.retrieval.ranking.lines import Line
from apnet.retrieval.ranking.scorer import Features, Indices, Keys
from apnet.retrieval.ranking.screening import Screener

Ends = tuple[int, Indices, Indices]
"""An image, the images that may be nearest to it, and those that may be farthest from it."""

_MOST_OPEN = 8
"""An image is compared in float32 where more than 1/8 of the others must be computed again."""


class JointSet:
    """The squared Euclidean distances between all pairs of N images.

    Under ``cosine`` the vectors are scaled to length 1, so that the distance is 2 - 2 cos; a zero
    vector has cosine 0 with everything, and so distance 2 from everything.

    Args:
        features: (N, D) float32 or float64, finite.
        distance: ``cosine``, or ``euclidean`` between the features as given.
        device: where to screen in bf16, as in ``evaluate``.

    Raises:
        DataError: a norm is outside 1e-70 to 1e70.
        ConfigError: the device is not available.
    """

    def __init__(self, features: Features, distance: Distance, device: str = "auto") -> None:
        self.comparison = Comparison(features, features, distance, device)
        everything = np.arange(len(features))
        keys = self.comparison.keys(everything, everything)
        self._lengths = np.sqrt(keys) if distance == "cosine" else np.ones(0)

    def __len__(self) -> int:
        return len(self.comparison.query)

    @property
    def cosine(self) -> bool:
        """Whether vectors are scaled to length 1."""
        return self.comparison.distance == "cosine"

    def release_screener(self) -> None:
        """Frees the bf16 copy of the features, which only ``neighbours`` uses."""
        self.comparison.screener = None

    def distances(self, rows: Indices, columns: Indices) -> Keys:
        """Returns the squared distances (n,) of n pairs, with the same bits on every machine."""
        return self.of_keys(rows, self.comparison.keys(rows, columns))

    def of_keys(self, rows: Indices, keys: Keys) -> Keys:
        """Returns the squared distances (n,) that belong to keys of ``rows`` (n,)."""
        if not self.cosine:
            return 0.0 - keys
        roots = np.copysign(np.sqrt(np.abs(keys)), keys)
        lengths = self._lengths[rows]
        cosines = np.divide(roots, lengths, out=np.zeros_like(roots), where=lengths > 0)
        near: Keys = 2.0 - 2.0 * np.clip(cosines, -1.0, 1.0)
        return near


@dataclass(frozen=True)
class Neighbours:
    """The nearest images of N images.

    Attributes:
        nearest: (N, k) int32, nearest first, ties in joint order; the image itself counts too.
        farthest: (N,) float64, squared distance to the farthest image, >= 0.
    """

    nearest: NDArray[np.int32]
    farthest: Keys


def neighbours(joint: JointSet, k: int, threads: int, progress: Progress) -> Neighbours:
    """Returns the exact k nearest neighbours of every image; works block by block.

    The memory is that of the blocks of ``evaluate``, and half the features where they are screened
    in bf16.

    Args:
        joint: N images.
        k: number of neighbours; at most N are returned.
        threads: blocks processed at once.
        progress: called with (images done, N).
    """
    comparison, count = joint.comparison, len(joint)
    wanted = min(k, count)
    nearest = np.empty((count, wanted), dtype=np.int32)
    lowest = np.empty(count)

    def work(rows: Indices) -> None:
        for row, near, far in _candidates(comparison, rows, wanted):
            keys = comparison.keys(np.full(len(near), row), near)
            nearest[row] = near[np.argsort(-keys, kind="stable")[:wanted]]
            lowest[row] = comparison.keys(np.full(len(far), row), far).min()

    size = rows_in_block(comparison.row_bytes, comparison.feature_bytes // 2, threads)
    for rows, _ in over_blocks(work, count, size, threads):
        progress(int(rows[-1]) + 1, count)
    return Neighbours(nearest, joint.of_keys(np.arange(count), lowest))


def _candidates(comparison: Comparison, rows: Indices, k: int) -> Iterator[Ends]:
    """Yields the images that may be among the k nearest, or the farthest, of each row."""
    left, screener = rows, comparison.screener
    if screener is not None and screener.useful:
        left = yield from _in_bf16((comparison, screener), rows, k)
    step = len(rows) if screener is None else max(1, len(rows) // 2)  # as in top_matches
    for start in range(0, len(left), step):
        block = left[start : start + step]
        scores = comparison.screen(block)
        margins = (2 * comparison.slack(block, block, scores)).astype(scores.dtype)
        for row, line, margin in zip(block.tolist(), scores, margins, strict=True):
            reached = np.partition(line, len(line) - k)[len(line) - k]
            near = np.flatnonzero(line >= reached - margin)
            yield row, near, np.flatnonzero(line <= line.min() + margin)


def _in_bf16(
    compared: tuple[Comparison, Screener], rows: Indices, k: int
) -> Generator[Ends, None, Indices]:
    """Yields what bf16 decides; returns the other rows."""
    comparison, screener = compared
    lines, left = screener.lines(rows), []
    for place, row in enumerate(rows.tolist()):
        found = _of_line(comparison, row, lines[place], k)
        if found is None:
            left.append(row)
        else:
            yield found
    screener.count(len(rows) - len(left), len(left))
    return np.array(left, dtype=np.int64)


def _of_line(comparison: Comparison, row: int, line: Line, k: int) -> Ends | None:
    near = line.nearest(k)
    far = Line(-line.values, line.absolute, line.relative).nearest(1)
    both = np.concatenate([near, far])
    if _MOST_OPEN * len(both) > len(line.values):
        return None
    scores, error = comparison.refined(row, both)
    if not line.holds(both, scores):
        return None
    high, low = scores[: len(near)], scores[len(near) :]
    reached = np.partition(high, len(high) - k)[len(high) - k]
    return row, near[high >= reached - 2 * error], far[low <= low.min() + 2 * error]
