"""Dense re-ranking from the definition, and features to compare it on."""

import numpy as np

from apnet.retrieval import Reranking

DEFAULT = Reranking()


def squared_distances(features, distance):
    wide = features.astype(np.float64)
    if distance == "cosine":
        wide = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return ((wide[:, None] - wide[None]) ** 2).sum(axis=2)


def reference(query, gallery, settings, distance="cosine"):
    """Re-ranked distances (Q, G), computed densely, image by image, with sets."""
    squared = squared_distances(np.concatenate([query, gallery]), distance)
    count, queries = len(squared), len(query)
    largest = squared.max(axis=0)
    original = (squared / np.where(largest > 0, largest, 1)).T
    order = [np.argsort(row, kind="stable").tolist() for row in original]

    def mutual(i, k):
        return {j for j in order[i][: k + 1] if i in order[j][: k + 1]}

    vectors = np.zeros((count, count))
    for i in range(count):
        near = mutual(i, settings.k1)
        expanded = set(near)
        for j in near:
            theirs = mutual(j, round(settings.k1 / 2))
            if len(theirs & near) > 2.0 / 3 * len(theirs):
                expanded |= theirs
        for j in expanded:
            vectors[i, j] = np.exp(-original[i, j])
        if expanded:
            vectors[i] /= vectors[i].sum()
    if settings.k2 != 1:
        vectors = np.stack([vectors[order[i][: settings.k2]].mean(axis=0) for i in range(count)])
    shared = np.array(
        [[np.minimum(a, b).sum() for b in vectors[queries:]] for a in vectors[:queries]]
    )
    shared = shared.reshape(queries, count - queries)
    jaccard = 1 - shared / (2 - shared)
    return (1 - settings.weight) * jaccard + settings.weight * original[:queries, queries:]


def clustered(seed, queries=9, images=60, dim=16, ids=8, noise=0.7):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((ids, dim))
    pids = np.concatenate([np.arange(queries) % ids, rng.integers(0, ids, images)])
    features = centres[pids] + noise * rng.standard_normal((len(pids), dim))
    return features[:queries].astype(np.float32), features[queries:].astype(np.float32)


def whole_numbers(seed, queries=7, images=50):
    """Features with few values and dimensions: many equal distances and copies."""
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 3, (queries + images, 3)).astype(np.float32)
    return features[:queries], features[queries:]
