import numpy as np
import pytest

from apnet.types import Embeddings


def make(features, pids, camids=None, paths=()):
    features = np.asarray(features)
    if features.dtype.kind != "f":
        features = features.astype(np.float32)
    camids = np.full(len(pids), -1) if camids is None else camids
    return Embeddings(
        features, np.asarray(pids, np.int64), np.asarray(camids, np.int64), tuple(paths)
    )


def people(seed, queries, images, dim, *, ids=12, noise=1.0, dtype=np.float32):
    """Queries and a gallery with distractors (pid 0), junk (-1) and people seen once only."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((ids, dim))
    sets = []
    for count, lowest in ((queries, 1), (images, -1)):
        pids = rng.integers(lowest, ids, count)
        features = centres[pids] + noise * rng.standard_normal((count, dim))
        sets.append(make(features.astype(dtype), pids, rng.integers(0, 4, count)))
    return tuple(sets)


@pytest.fixture(name="make")
def make_fixture():
    return make


@pytest.fixture(name="people")
def people_fixture():
    return people
