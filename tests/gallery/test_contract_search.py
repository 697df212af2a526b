"""Search is exact on both engines, with filters and thresholds."""

import json

import numpy as np
import pytest

from apnet.gallery import Filter, Gallery
from gallery.states import unit

NOON = 1_800_000_000.0


@pytest.fixture(scope="module")
def people(shared_place, features, tmp_path_factory):
    """A gallery with 20 persons of 10 images each, of four cameras, a minute apart.

    Persons 3 and 4 have metadata.
    """
    table = tmp_path_factory.mktemp("people") / "people.npz"
    gallery = Gallery.create(shared_place, feature_dim=8)
    gallery.export(table)
    rows = range(200)
    red = {"team": "red"}
    with np.load(table) as empty:
        arrays = {
            **empty,
            "features": features,
            "identities": np.array([f"person {row % 20}" for row in rows]),
            "cameras": np.array([f"c{row % 4}" for row in rows]),
            "times": np.array([NOON + 60 * row for row in rows]),
            "paths": np.array([f"{row}.jpg" for row in rows]),
            "digests": np.array([f"{row:064x}" for row in rows]),
            "metadata": np.array(json.dumps({"person 3": red, "person 4": red})),
        }
    np.savez(table, **arrays)
    gallery.import_(table)
    yield gallery
    gallery.close()


def best_by_hand(features, query, count):
    """Returns the best persons of ``people``, by the best of each one's images."""
    cosines = unit(features) @ unit(query)
    best = {f"person {p}": max(cosines[row] for row in range(p, 200, 20)) for p in range(20)}
    return sorted(best.items(), key=lambda pair: -pair[1])[:count]


def mean_by_hand(features, query, count):
    means = {f"person {p}": unit(features)[p::20].mean(axis=0) for p in range(20)}
    best = {name: float(unit(mean) @ unit(query)) for name, mean in means.items()}
    return sorted(best.items(), key=lambda pair: -pair[1])[:count]


@pytest.mark.parametrize("k", [1, 5, 20, 50])
@pytest.mark.parametrize(("by", "by_hand"), [("best", best_by_hand), ("mean", mean_by_hand)])
def test_search_is_exact(people, features, by, by_hand, k):
    queries = np.random.default_rng(1).standard_normal((20, 8))
    for query, answer in zip(queries, people.search_many(queries, k=k, by=by), strict=True):
        wanted = by_hand(features, query, k)
        assert [match.name for match in answer] == [name for name, _ in wanted]
        assert np.allclose([m.similarity for m in answer], [s for _, s in wanted], atol=1e-5)
        assert "exact search" in answer.protocol


def test_the_best_image_is_named(people, features):
    match = people.search(features[42]).matches[0]
    assert (match.name, match.source, match.camera) == ("person 2", "42.jpg", "c2")
    assert match.similarity == pytest.approx(1, abs=1e-5)
    assert people.search(features[42], by="mean").matches[0].image is None


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        (Filter(cameras=["c1"]), lambda row: row % 4 == 1),
        (Filter(cameras=["c1", "c2"]), lambda row: row % 4 in (1, 2)),
        (Filter(not_cameras=["c1", "nowhere"]), lambda row: row % 4 != 1),
        (Filter(after=NOON + 60 * 100), lambda row: row >= 100),
        (Filter(before=NOON + 60 * 100), lambda row: row < 100),
        (Filter(["c3"], after=NOON + 600, before=NOON + 6000), lambda r: r % 4 == 3 and r < 100),
        (Filter(metadata={"team": "red"}), lambda row: row % 20 in (3, 4)),
        (Filter(["c0"], metadata={"team": "red"}), lambda row: row % 20 == 4),
    ],
)
@pytest.mark.parametrize("by", ["best", "mean"])
def test_filters(people, features, where, rows, by):
    query = np.random.default_rng(3).standard_normal(8)
    kept = [row for row in range(200) if rows(row) and (where.after is None or row >= 10)]
    best = {}
    for person in {row % 20 for row in kept}:
        images = unit(features)[[row for row in kept if row % 20 == person]]
        vector = images[np.argmax(images @ query)] if by == "best" else unit(images.mean(axis=0))
        best[f"person {person}"] = vector @ unit(query)
    wanted = sorted(best, key=lambda name: -best[name])
    assert [match.name for match in people.search(query, k=20, where=where, by=by)] == wanted


@pytest.mark.parametrize(
    "where", [Filter(cameras=[]), Filter(cameras=["c9"]), Filter(metadata={"team": "blue"})]
)
def test_filters_that_leave_nothing(people, where):
    answer = people.search(np.ones(8), where=where, threshold=-1)
    assert (len(answer), answer.decision) == (0, "unknown")


def test_a_threshold_decides(people, features):
    assert people.search(features[42], threshold=0.999).decision == "person 2"
    assert people.search(-np.ones(8), threshold=0.999).decision == "unknown"
    answer = people.search(features[42])
    assert (answer.threshold, answer.decision, answer.accepted) == (None, None, ())
    assert "ot calibrated" in answer.limits
    assert json.loads(json.dumps(answer.to_dict()))["decision"] is None
