"""Exact search over features in memory, in blocks.

Memory: the features themselves, at most one block of 8,192 more, and 2 MiB of similarities.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from apnet.gallery.engines.engine import Nearest

BLOCK = 8192
"""Features per block."""

QUERIES = 64
"""Queries that are compared with a block at once."""


class ExactIndex:
    """Features of images with the numbers of their images and identities (0 for none)."""

    def __init__(self, feature_dim: int) -> None:
        self.ids = np.empty(0, np.int64)
        self.identities = np.empty(0, np.int64)
        self._dim = feature_dim
        self._blocks: list[NDArray[np.float32]] = []

    @property
    def feature_dim(self) -> int:
        """Numbers per feature."""
        return self._dim

    def __len__(self) -> int:
        return len(self.ids)

    def extend(
        self, ids: NDArray[np.int64], identities: NDArray[np.int64], features: NDArray[np.float32]
    ) -> None:
        """Appends images, whose numbers must be greater than those that are there."""
        taken = 0
        while taken < len(ids):
            used = (len(self.ids) + taken) % BLOCK
            if not used:
                self._blocks.append(np.empty((BLOCK, self._dim), np.float32))
            part = features[taken : taken + BLOCK - used]
            self._blocks[-1][used : used + len(part)] = part
            taken += len(part)
        self.ids = np.concatenate([self.ids, ids])
        self.identities = np.concatenate([self.identities, identities])

    def relabel(self, ids: NDArray[np.int64], identities: NDArray[np.int64]) -> None:
        """Keeps only the images that are still there, and takes their identities anew.

        Args:
            ids: of all images that are there, ascending; further ones are passed over.
            identities: theirs, 0 for none.
        """
        kept = np.isin(self.ids, ids, assume_unique=True)
        if not kept.all():
            self._close_gaps(np.flatnonzero(kept))
            self.ids = self.ids[kept]
        self.identities = identities[np.searchsorted(ids, self.ids)]

    def _close_gaps(self, rows: NDArray[np.int64]) -> None:
        """Moves rows to the front; what they leave behind is overwritten."""
        for start in range(0, len(rows), BLOCK):
            self._blocks[start // BLOCK][: len(rows[start : start + BLOCK])] = self.taken(
                rows[start : start + BLOCK]
            )
        del self._blocks[-(-len(rows) // BLOCK) :]
        if len(rows) % BLOCK:
            self._blocks[-1][len(rows) % BLOCK :] = 0

    def blocks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yields the features block by block, each with the row that it begins at."""
        for number, block in enumerate(self._blocks):
            start = number * BLOCK
            yield start, block[: len(self.ids) - start]

    def taken(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Returns the features of some rows, as a copy."""
        features = np.empty((len(rows), self._dim), np.float32)
        for number in np.unique(rows // BLOCK):
            here = rows // BLOCK == number
            features[here] = self._blocks[number][rows[here] % BLOCK]
        return features

    def nearest(
        self, features: NDArray[np.float32], count: int, allowed: NDArray[np.bool_]
    ) -> list[Nearest]:
        """Returns the images most similar to each feature; of equals the first comes first.

        Args:
            features: (Q, D) of length 1.
            count: images per feature, 1 or more.
            allowed: (N,) whether an image is looked at.
        """
        count = min(count, int(allowed.sum()))
        found: list[Nearest] = []
        for start in range(0, len(features), QUERIES):
            found += self._best(features[start : start + QUERIES], count, allowed)
        return found

    def _best(
        self, features: NDArray[np.float32], count: int, allowed: NDArray[np.bool_]
    ) -> list[Nearest]:
        rows = np.zeros((len(features), 0), np.int64)
        best = np.zeros((len(features), 0), np.float32)
        for number, block in enumerate(self._blocks):
            here = allowed[number * BLOCK : (number + 1) * BLOCK]
            if count and here.any():
                similarities = features @ block[: len(here)].T  # (Q, n)
                similarities[:, ~here] = -np.inf
                rows, best = _merged(rows, best, similarities, number * BLOCK, count)
        complete = count == int(allowed.sum())
        return [
            Nearest(self.ids[row], self.identities[row], similarity, complete)
            for row, similarity in zip(rows, best, strict=True)
        ]

    def nearest_means(
        self, features: NDArray[np.float32], count: int, allowed: NDArray[np.bool_]
    ) -> list[Nearest]:
        """Returns the identities whose mean feature is most similar to each feature.

        The mean of an identity's images that are allowed is brought to length 1.
        """
        identities, places = np.unique(self.identities[allowed], return_inverse=True)
        means = np.zeros((len(identities), self._dim), np.float32)
        rows = np.flatnonzero(allowed)
        for start in range(0, len(rows), BLOCK):
            part = slice(start, start + BLOCK)
            np.add.at(means, places[part], self.taken(rows[part]))
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        similarities = features @ means.T
        order = np.argsort(-similarities, axis=1, kind="stable")[:, :count]
        return [
            Nearest(np.full(len(row), -1), identities[row], line[row], count >= len(identities))
            for row, line in zip(order, similarities, strict=True)
        ]


def _merged(
    rows: NDArray[np.int64],
    best: NDArray[np.float32],
    similarities: NDArray[np.float32],
    start: int,
    count: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Merges the best of a block into the best so far, (Q, M) each, in order."""
    if best.shape[1] < count:
        numbers = np.broadcast_to(np.arange(similarities.shape[1]) + start, similarities.shape)
        return _first(np.hstack([rows, numbers]), np.hstack([best, similarities]), count)
    rows, best = rows.copy(), best.copy()
    queries, columns = np.nonzero(similarities > best[:, -1:])
    for query in np.unique(queries):
        new = columns[queries == query]
        line = np.concatenate([best[query], similarities[query, new]])
        order = np.argsort(-line, kind="stable")[:count]
        rows[query] = np.concatenate([rows[query], new + start])[order]
        best[query] = line[order]
    return rows, best


def _first(
    rows: NDArray[np.int64], similarities: NDArray[np.float32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    order = np.argsort(-similarities, axis=1, kind="stable")[:, :count]
    best = np.take_along_axis(similarities, order, 1)
    fewest = int((best > -np.inf).sum(axis=1).min(initial=best.shape[1]))
    return np.take_along_axis(rows, order, 1)[:, :fewest], best[:, :fewest]
