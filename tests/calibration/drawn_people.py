"""Embeddings of people drawn at random, seen by several cameras."""

import numpy as np

from apnet.types import Embeddings


def people(count, images, seed, *, cameras=3, dim=16, noise=1.0, alike=0.0):
    """Returns ``images`` embeddings of each person; noise parts one person's, ``alike`` joins all.

    The cameras of a person's images are drawn without replacement, then again.
    """
    random = np.random.default_rng(seed)
    centres = random.standard_normal((count, dim)) + alike
    pids = np.repeat(np.arange(count), images)
    features = centres[pids] + noise * random.standard_normal((count * images, dim))
    camids = np.concatenate(
        [
            np.concatenate([random.permutation(cameras) for _ in range(-(-images // cameras))])[
                :images
            ]
            for _ in range(count)
        ]
    )
    order = random.permutation(len(pids))  # as files lie in folders, not by person
    return Embeddings(
        features[order].astype(np.float32), pids[order] * 7 + 3, camids[order].astype(np.int64) + 1
    )
