"""Search in memory against a literal one, and what an approximate index may not miss."""

import numpy as np
import pytest

from apnet.errors import GalleryError
from apnet.gallery import Filter, Gallery
from apnet.gallery.index import exact, following, graph
from apnet.gallery.index.exact import ExactIndex

DIM = 16


def unit(features):
    return (features / np.linalg.norm(features, axis=-1, keepdims=True)).astype(np.float32)


def random(seed, count):
    return unit(np.random.default_rng(seed).standard_normal((count, DIM)))


@pytest.fixture(params=[7, 64, 8192])
def block(request, monkeypatch):
    monkeypatch.setattr(exact, "BLOCK", request.param)
    monkeypatch.setattr(exact, "QUERIES", 3)
    return request.param


class Literal:
    """What ``ExactIndex`` does, as one array."""

    def __init__(self):
        self.ids = np.empty(0, np.int64)
        self.identities = np.empty(0, np.int64)
        self.features = np.empty((0, DIM), np.float32)

    def extend(self, ids, identities, features):
        self.ids = np.concatenate([self.ids, ids])
        self.identities = np.concatenate([self.identities, identities])
        self.features = np.concatenate([self.features, features])

    def relabel(self, ids, identities):
        kept = np.isin(self.ids, ids)
        self.ids, self.features = self.ids[kept], self.features[kept]
        self.identities = np.array([identities[ids == each][0] for each in self.ids], np.int64)

    def nearest(self, query, count, allowed):
        similarities = self.features[allowed] @ query
        order = np.argsort(-similarities, kind="stable")[:count]
        return self.ids[allowed][order], self.identities[allowed][order], similarities[order]

    def nearest_means(self, query, count, allowed):
        found = []
        for identity in np.unique(self.identities[allowed]):
            mean = self.features[allowed & (self.identities == identity)].mean(axis=0)
            found.append((-float(unit(mean) @ query), identity))
        return sorted(found)[:count]


def agree(index, literal, seed):
    rng = np.random.default_rng(seed)
    queries = random(seed + 1000, 5)
    assert np.array_equal(index.ids, literal.ids)
    for allowed in (index.identities > 0, (index.identities > 0) & (rng.random(len(index)) < 0.3)):
        for count in (1, 10, 500):
            found = index.nearest(queries, count, allowed)
            for query, nearest in zip(queries, found, strict=True):
                images, identities, similarities = literal.nearest(query, count, allowed)
                assert np.array_equal(nearest.images, images)
                assert np.array_equal(nearest.identities, identities)
                assert np.allclose(nearest.similarities, similarities, atol=1e-6)
                assert nearest.complete == (count >= allowed.sum())
            for query, nearest in zip(
                queries, index.nearest_means(queries, count, allowed), strict=True
            ):
                wanted = literal.nearest_means(query, count, allowed)
                assert nearest.identities.tolist() == [identity for _, identity in wanted]
                assert np.allclose(-nearest.similarities, [each for each, _ in wanted], atol=1e-5)


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("seed", range(3))
def test_exact_search_through_additions_removals_and_new_names(seed):
    rng = np.random.default_rng(seed)
    index, literal = ExactIndex(DIM), Literal()
    last = 0
    for step in range(6):
        count = int(rng.integers(0, 60))
        ids = last + np.cumsum(rng.integers(1, 4, count))
        last = int(ids[-1]) if count else last
        batch = (ids, rng.integers(0, 9, count), random(100 * seed + step, count))
        for each in (index, literal):
            each.extend(*batch)
        agree(index, literal, step)
        kept = index.ids[rng.random(len(index)) < 0.7]
        there = (np.append(kept, last + 1), rng.integers(0, 9, len(kept) + 1))
        for each in (index, literal):
            each.relabel(*there)
        agree(index, literal, step)
    for each in (index, literal):
        each.relabel(np.empty(0, np.int64), np.empty(0, np.int64))
        each.extend(np.array([last + 5]), np.array([1]), random(0, 1))
    agree(index, literal, 9)


def test_equal_images_are_ranked_by_their_number(monkeypatch):
    monkeypatch.setattr(exact, "BLOCK", 4)
    index = ExactIndex(DIM)
    index.extend(np.arange(1, 21), np.arange(1, 21), np.repeat(random(0, 1), 20, axis=0))
    (nearest,) = index.nearest(random(1, 1), 6, np.ones(20, bool))
    assert nearest.images.tolist() == [1, 2, 3, 4, 5, 6]


def test_what_is_removed_is_overwritten_in_memory(monkeypatch):
    monkeypatch.setattr(exact, "BLOCK", 8)
    index = ExactIndex(DIM)
    features = random(0, 12)
    index.extend(np.arange(1, 13), np.ones(12, np.int64), features)
    index.relabel(np.arange(1, 10), np.ones(9, np.int64))
    held = b"".join(block.tobytes() for block in index._blocks)
    assert features[8].tobytes() in held
    assert not any(features[row].tobytes() in held for row in (9, 10, 11))


# approximate


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A gallery of 2,000 images of 200 persons, which counts as large, with its index."""
    monkeypatch.setattr(following, "EXACT_UP_TO", 500)
    features = random(0, 2000)
    with Gallery.create(tmp_path / "large.gallery", feature_dim=DIM) as gallery:
        gallery.add_features(features, [f"p{row % 200}" for row in range(2000)], camera="c")
        yield gallery, features, tmp_path / "large.gallery-hnsw"


def literal_names(features, query, k, rows=None):
    rows = np.arange(2000) if rows is None else rows
    best = {}
    for row, similarity in zip(rows, features[rows] @ query, strict=True):
        name = f"p{row % 200}"
        best[name] = max(best.get(name, -2), similarity)
    return sorted(best, key=lambda name: -best[name])[:k]


def test_an_approximate_search_says_so_and_finds_nearly_all(large):
    gallery, features, path = large
    assert "compact" in gallery.search(features[0]).protocol
    recall = gallery.compact()
    assert recall >= graph.GOAL
    assert path.exists()
    queries = random(1, 50)
    hits = 0
    for query, answer in zip(queries, gallery.search_many(queries, k=10), strict=True):
        assert f"approximate search, measured recall at 10 {recall:.3f}" in answer.protocol
        hits += len({match.name for match in answer} & set(literal_names(features, query, 10)))
        for match in answer:
            person = int(match.name[1:])
            assert match.similarity == pytest.approx(
                float((features[person::200] @ query).max()), abs=0.2
            )
            held = gallery.images(match.name)
            row = person + 200 * [image.id for image in held].index(match.image)
            assert match.similarity == pytest.approx(float(features[row] @ query), abs=1e-5)
    assert hits >= 0.98 * 500
    assert "exact search" in gallery.search(queries[0], exact=True).protocol
    assert "exact search" in gallery.search(queries[0], where=Filter(cameras=["c"])).protocol
    assert "exact search" in gallery.search(queries[0], by="mean").protocol


def test_images_added_after_the_index_are_found(large):
    gallery, _, _ = large
    gallery.compact()
    new = random(2, 10)
    gallery.add_features(new, [f"new {row}" for row in range(10)])
    for row, answer in enumerate(gallery.search_many(new)):
        assert "approximate" in answer.protocol
        assert answer.matches[0].name == f"new {row}"
        assert answer.matches[0].similarity == pytest.approx(1, abs=1e-5)


def test_changes_after_the_index_are_seen(large):
    gallery, features, _ = large
    gallery.compact()
    gallery.merge("p0", "p1")
    gallery.rename("p2", "two")
    found = gallery.search_many(features[[0, 2]])
    assert [answer.matches[0].name for answer in found] == ["p1", "two"]
    assert all("approximate" in answer.protocol for answer in found)


def test_an_image_that_is_removed_is_not_found_by_the_index(large):
    gallery, features, path = large
    gallery.compact()
    kept = path.read_bytes()
    gallery.remove([gallery.images("p3")[0].id])
    assert not path.exists()
    path.write_bytes(kept)  # as it is while another program removes
    answer = gallery.search(features[3], k=10)
    assert answer.matches[0].similarity < 0.9999
    assert len(answer) == 10


def test_an_index_file_of_something_else_is_not_used(large):
    gallery, features, path = large
    gallery.compact()
    for data in (path.read_bytes()[:-1] + b"\0\1", b""):
        path.write_bytes(data)
        with Gallery(gallery.place) as again:
            assert "exact search" in again.search(features[0]).protocol
    path.unlink()
    assert "exact search" in gallery.search(features[0]).protocol


def test_an_index_of_mostly_unnamed_images_misses_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(following, "EXACT_UP_TO", 500)
    axis = np.eye(DIM)[0]
    near = unit(axis + 0.01 * np.random.default_rng(0).standard_normal((1000, DIM)))
    with Gallery.create(tmp_path / "g.gallery", feature_dim=DIM) as gallery:
        gallery.add_features(near)
        gallery.add_features(np.eye(DIM)[1:4], ["ann", "bob", "carl"])
        gallery.compact()
        answer = gallery.search(axis, k=3)
        assert {match.name for match in answer} == {"ann", "bob", "carl"}


def test_an_erasure_while_the_index_is_built_wins(large, monkeypatch):
    gallery, features, path = large
    measured = graph.Graph._measured

    def erase_meanwhile(self, index):
        with Gallery(gallery.place) as other:
            other.erase("p5")
        return measured(self, index)

    monkeypatch.setattr(graph.Graph, "_measured", erase_meanwhile)
    with pytest.raises(GalleryError, match="run 'apnet gallery compact' again"):
        gallery.compact()
    assert not path.exists()
    assert "p5" not in {match.name for match in gallery.search(features[5], k=300)}
    monkeypatch.undo()
