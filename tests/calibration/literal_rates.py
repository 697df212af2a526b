"""Error rates from their definitions, one pair and one gallery at a time."""

import itertools

import numpy as np

from apnet.calibration.grid import COUNT


def unit(features):
    features = np.asarray(features, np.float32)
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def on_grid(similarity, lowest):
    """The highest threshold that a similarity reaches, as a number of the grid; -1 for none."""
    step = (1 - lowest) / (COUNT - 1)
    return min(int(np.floor((float(similarity) - lowest) / step + 1e-3)), COUNT - 1)


def pairs(embeddings, lowest):
    """Yields (person, person, camera, camera, place on the grid) of images of two cameras."""
    features = unit(embeddings.features)
    people, cameras = embeddings.pids.tolist(), embeddings.camids.tolist()
    for one, two in itertools.permutations(range(len(people)), 2):
        if cameras[one] == cameras[two] and cameras[one] != -1:
            continue
        yield (
            people[one],
            people[two],
            cameras[one],
            cameras[two],
            on_grid(features[one] @ features[two], lowest),
        )


def fmr(embeddings, lowest, threshold, weights=None):
    """Share of pairs of two people that reach a threshold, people counted ``weights`` times."""
    reached = total = 0.0
    for one, two, _, _, place in pairs(embeddings, lowest):
        if one != two:
            count = 1 if weights is None else weights[one] * weights[two]
            total += count
            reached += count * (place >= threshold)
    return reached / total


def fnmr(embeddings, lowest, threshold, weights=None):
    """Share of pairs of one person that do not reach it."""
    missed = total = 0.0
    for one, two, _, _, place in pairs(embeddings, lowest):
        if one == two:
            count = 1 if weights is None else weights[one]
            total += count
            missed += count * (place < threshold)
    return missed / total


def best_places(embeddings, lowest, query):
    """Person -> place of the most similar of all of the person's images in other cameras."""
    features = unit(embeddings.features)
    best = {}
    for row, (person, camera) in enumerate(
        zip(embeddings.pids.tolist(), embeddings.camids.tolist(), strict=True)
    ):
        if row == query or (camera == embeddings.camids[query] and camera != -1):
            continue
        place = on_grid(features[query] @ features[row], lowest)
        best[person] = max(best.get(person, -1), place)
    return best


def fpir(embeddings, lowest, people, threshold):
    """Share of searches, over all galleries of people who are not the query's, that return one."""
    returned = searches = 0
    for query, person in enumerate(embeddings.pids.tolist()):
        best = best_places(embeddings, lowest, query)
        best.pop(person, None)
        found = total = 0
        for gallery in itertools.combinations(best.values(), people):
            total += 1
            found += max(gallery) >= threshold
        returned += found / total
        searches += 1
    return returned / searches


def fnir(embeddings, lowest, people, threshold):
    """Share of searches, over all galleries with the query's person, that do not name it first.

    Another person as near on the grid as the right one counts as nearer.
    """
    missed = searches = 0
    for query, person in enumerate(embeddings.pids.tolist()):
        best = best_places(embeddings, lowest, query)
        own = best.pop(person, None)
        if own is None:
            continue
        wrong = total = 0
        for others in itertools.combinations(best.values(), people - 1):
            total += 1
            wrong += own < threshold or max(others, default=-2) >= own
        missed += wrong / total
        searches += 1
    return missed / searches


def isotonic(shares, weights):
    """The non-decreasing fit of least squares, by the minimax formula."""
    count = len(shares)

    def mean(first, last):
        part = slice(first, last + 1)
        return np.average(shares[part], weights=weights[part])

    return [
        max(min(mean(first, last) for last in range(place, count)) for first in range(place + 1))
        for place in range(count)
    ]
