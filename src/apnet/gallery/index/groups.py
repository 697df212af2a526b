"""Groups of a few images of one identity each, which a graph holds instead of images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apnet.gallery.index.exact import BLOCK, ExactIndex

MOST = 16
"""Images in a group."""


@dataclass(frozen=True, eq=False)
class Groups:
    """G groups of N images.

    Attributes:
        rows: (N,) rows of the images in the index, those of a group one after another.
        places: (N,) the group of each, 0 to G - 1.
        means: (G, D) means of the groups' features, of length 1.
    """

    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    means: NDArray[np.float32]


def grouped(index: ExactIndex) -> Groups:
    """Returns groups of the images that have an identity."""
    rows = np.flatnonzero(index.identities > 0)
    rows = rows[np.argsort(index.identities[rows], kind="stable")]
    identities = index.identities[rows]
    first = np.searchsorted(identities, identities)  # where the identity of each begins
    begins = (np.arange(len(rows)) - first) % MOST == 0
    places = np.cumsum(begins) - 1
    means = np.zeros((int(begins.sum()), index.feature_dim), np.float32)
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        np.add.at(means, places[part], index.taken(rows[part]))
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return Groups(rows, places, means)
