"""An independent evaluation: float64, a full stable sort, Python loops, one query at a time."""

from fractions import Fraction

import numpy as np


def distances(query, gallery, distance):
    """One query's distances to all gallery vectors; exact fractions if all are integers."""
    query, gallery = query.astype(np.float64), gallery.astype(np.float64)
    whole = np.all(query == np.rint(query)) and np.all(gallery == np.rint(gallery))
    return [
        _exact(query, item, distance) if whole else _plain(query, item, distance)
        for item in gallery
    ]


def _plain(a, b, distance):
    if distance == "euclidean":
        return float(np.sqrt(np.sum((a - b) ** 2)))
    lengths = np.sqrt(np.sum(a * a)) * np.sqrt(np.sum(b * b))
    return -float(np.sum(a * b) / lengths) if lengths else 0.0


def _exact(a, b, distance):
    a, b = [int(x) for x in a], [int(x) for x in b]
    if distance == "euclidean":
        return Fraction(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))
    dot, square = sum(x * y for x, y in zip(a, b, strict=True)), sum(y * y for y in b)
    return Fraction(-dot * abs(dot), square) if square else Fraction(0)


def ranks(query, gallery, distance, rule):
    """The ranks from 1 of every query's matches, as one list per query."""
    result = []
    for q in range(len(query)):
        kept = [g for g in range(len(gallery)) if counts(query, q, gallery, g, rule)]
        far = distances(query.features[q], gallery.features[kept], distance) if kept else []
        order = sorted(range(len(kept)), key=lambda place: far[place])  # stable
        pids = [int(gallery.pids[kept[place]]) for place in order]
        person = int(query.pids[q])
        result.append([r for r, pid in enumerate(pids, 1) if pid == person and person != -1])
    return result


def counts(query, q, gallery, g, rule):
    if gallery.pids[g] == -1:
        return False
    if query.paths and gallery.paths and query.paths[q] == gallery.paths[g]:
        return False
    same = query.pids[q] == gallery.pids[g] and query.camids[q] == gallery.camids[g] != -1
    return not (rule == "same-camera" and same)


def figures(query, gallery, distance, rule):
    """mAP both ways, mINP and the CMC, by the definitions."""
    found = [r for r in ranks(query, gallery, distance, rule) if r]
    hits, trapezia, penalties = [], [], []
    for matched in found:
        total = areas = 0.0
        for i, rank in enumerate(matched):
            after = (i + 1) / rank
            before = i / (rank - 1) if rank > 1 else 1.0
            total += after
            areas += (before + after) / 2
        hits.append(total / len(matched))
        trapezia.append(areas / len(matched))
        penalties.append(len(matched) / matched[-1])
    length = min(50, len(gallery))
    cmc = (
        [sum(r[0] <= k for r in found) / len(found) for k in range(1, length + 1)] if found else []
    )
    return {
        "valid": len(found),
        "mAP_hits": float(np.mean(hits)) if found else None,
        "mAP_trapezoidal": float(np.mean(trapezia)) if found else None,
        "mINP": float(np.mean(penalties)) if found else None,
        "cmc": cmc,
    }
