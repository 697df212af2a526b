"""What a gallery promises, the same whichever database holds it."""

import datetime
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import apnet
from apnet.errors import ConfigError, GalleryError
from apnet.gallery import Filter, verifying
from gallery.states import names_of, set_metadata, state_of


def test_a_new_gallery_is_empty(gallery):
    assert len(gallery) == 0
    assert gallery.identities() == gallery.images(None) == gallery.verify() == []
    assert [line.action for line in gallery.audit()] == ["create"]
    assert len(gallery.search(np.ones(8))) == 0
    assert gallery.search(np.ones(8), threshold=0.5).decision == "unknown"


def test_images_are_added_whole_batch_by_whole_batch(gallery, features):
    told = []
    result = gallery.add_features(features, "ann", progress=lambda *done: told.append(done))
    assert (result.added, result.labelled, result.known) == (200, 0, 0)
    assert told == [(64, 200), (128, 200), (192, 200), (200, 200)]
    assert names_of(gallery) == {"ann": 200}


def test_the_same_image_again_is_told(few, features):
    before = state_of(few)
    result = few.add_features(features[:6], ["ann", "ann", "bob", None, None, None])
    assert (result.added, result.labelled, result.known) == (0, 0, 6)
    assert state_of(few) == before


def test_the_same_image_twice_at_once_is_added_once(gallery, features):
    result = gallery.add_features(features[[0, 0, 1]], "ann")
    assert (result.added, result.known) == (2, 1)


@pytest.mark.parametrize("names", [[None, "ann"], ["ann", None]])
def test_the_same_image_at_once_with_and_without_a_name_gets_the_name(gallery, features, names):
    result = gallery.add_features(features[[0, 0]], names)
    assert (result.added, result.labelled, result.known) == (1, 0, 1)
    assert names_of(gallery) == {"ann": 1}


def test_an_image_without_identity_does_not_get_two(few, features):
    before = state_of(few)
    with pytest.raises(GalleryError, match="the same image"):
        few.add_features(features[[4, 4]], ["ann", "bob"])
    assert state_of(few) == before
    result = few.add_features(features[[4, 4]], ["ann", "ann"])
    assert (result.added, result.labelled, result.known) == (0, 1, 1)


def test_images_without_identity_get_one_later(few, features):
    assert len(few.images(None)) == 2
    result = few.add_features(features[4:6], ["carl", None])
    assert (result.added, result.labelled, result.known) == (0, 1, 1)
    (last,) = few.images(None)
    assert few.label([last.id], "dora") == 1
    assert names_of(few) == {"ann": 2, "bob": 2, "carl": 1, "dora": 1}
    assert few.search(features[5]).matches[0].name == "dora"


def test_images_without_identity_are_not_found(few, features):
    found = few.search(features[4])
    assert {match.name for match in found} == {"ann", "bob"}
    assert found.matches[0].similarity < 0.99


def test_camera_time_and_source_are_kept(gallery, features):
    when = datetime.datetime(2026, 11, 26, 9, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    gallery.add_features(features[:1], "ann", camera=3, time=when, source="a/b.jpg")
    (image,) = gallery.images("ann")
    assert (image.camera, image.time, image.source) == ("3", when.timestamp(), "a/b.jpg")
    (match,) = gallery.search(features[0])
    assert (match.camera, match.time, match.source) == ("3", "2026-11-26T08:00:00Z", "a/b.jpg")
    assert (match.image, match.images) == (image.id, 1)


def test_embeddings_bring_names_cameras_and_paths(gallery, features):
    found = apnet.Embeddings(
        features[:3].astype(np.float32),
        np.array([7, -1, 7]),
        np.array([2, -1, 4]),
        paths=("a.jpg", "b.jpg", "c.jpg"),
    )
    gallery.add_features(found)
    assert names_of(gallery) == {"7": 2}
    assert gallery.identity("7").cameras == ("2", "4")
    assert [image.source for image in gallery.images(None)] == ["b.jpg"]


def test_many_images_of_one_person_hide_nobody(gallery):
    rng = np.random.default_rng(2)
    crowd = np.eye(8)[0] + 0.01 * rng.standard_normal((300, 8))
    gallery.add_features(crowd, "ann")
    gallery.add_features(rng.standard_normal((3, 8)), ["bob", "carl", "dora"])
    found = [match.name for match in gallery.search(np.eye(8)[0], k=4)]
    assert found[0] == "ann"
    assert set(found) == {"ann", "bob", "carl", "dora"}


def test_an_identity_whose_mean_is_nothing(gallery):
    gallery.add_features([np.eye(8)[0], -np.eye(8)[0]], "ann")
    (match,) = gallery.search(np.eye(8)[0], by="mean")
    assert match.similarity == pytest.approx(0, abs=1e-5)


def test_rename(few, features):
    few.rename("ann", " Ann-Marie ")
    assert names_of(few) == {"Ann-Marie": 2, "bob": 2}
    assert few.search(features[0]).matches[0].name == "Ann-Marie"
    few.rename("bob", "bob")


def test_merge(gallery, features):
    gallery.add_features(features[:4], ["ann", "ann", "bob", "bob"])
    gallery.search(features[0])
    set_metadata(gallery, {"ann": {"a": 1, "b": 1}, "bob": {"b": 2, "c": 2}})
    assert gallery.merge("ann", "bob") == 2
    assert names_of(gallery) == {"bob": 4}
    assert gallery.identity("bob").metadata == {"a": 1, "b": 2, "c": 2}
    assert gallery.search(features[0]).matches[0].name == "bob"


def test_remove(few, features):
    first, second = few.images("ann")
    assert few.remove([first.id, first.id]) == 1
    assert few.images("ann") == [second]
    assert few.search(features[0]).matches[0].similarity < 0.999
    assert few.remove([second.id]) == 1
    assert names_of(few) == {"ann": 0, "bob": 2}
    assert [match.name for match in few.search(features[0])] == ["bob"]


def test_erase(few, features):
    few.search(features[0])
    number = few.identity("ann").id
    assert few.erase("ann") == 2
    assert names_of(few) == {"bob": 2}
    assert [match.name for match in few.search(features[0])] == ["bob"]
    assert all(line.identity != number for line in few.audit())
    assert [line.action for line in few.audit()].count("erase") == 1
    with pytest.raises(GalleryError, match="nobody is called 'ann'"):
        few.erase("ann")
    assert few.verify() == []


def test_an_erased_person_is_somebody_new_when_enrolled_again(few, features):
    number = few.identity("ann").id
    few.erase("ann")
    assert few.add_features(features[:2], "ann").added == 2
    assert few.identity("ann").id != number


def test_the_audit_log_holds_no_name(gallery, features):
    gallery.add_features(features[:1], "Ann Doe", source="ann.jpg")
    gallery.search(features[0])
    gallery.rename("Ann Doe", "Anna Doe")
    number = gallery.identity("Anna Doe").id
    log = gallery.audit()
    assert [line.action for line in log] == ["create", "add", "search", "rename"]
    assert [line.identity for line in log] == [None, number, None, number]
    assert all(line.user for line in log)
    assert "Doe" not in repr(log)
    assert "ann.jpg" not in repr(log)


def test_what_is_older_than_its_period_is_deleted(make_gallery, open_gallery, place, features):
    gallery = make_gallery(keep="30d")
    now = datetime.datetime.now(datetime.timezone.utc)
    old = now - datetime.timedelta(days=31)
    gallery.add_features(features[:2], ["ann", None], time=old)
    gallery.add_features(features[2:4], ["ann", "bob"], time=now)
    gallery.add_features(features[4:5], "carl")
    gallery.add_features(features[5:6], "dora", time=old)
    assert gallery.expire() == 3
    assert names_of(gallery) == {"ann": 1, "bob": 1, "carl": 1}
    assert gallery.expire() == 0
    gallery.add_features(features[:1], "ann", time=old)
    told = []
    again = open_gallery(place, notify=told.append)
    assert len(again) == 3
    assert told == [f"{gallery.place}: 1 images older than its period were deleted"]


def test_without_a_period_nothing_is_deleted(gallery, features):
    gallery.add_features(features[:1], "ann", time=1.0)
    assert gallery.expire() == 0
    assert len(gallery) == 1


@pytest.mark.parametrize(
    "name", ["Zoë 李", "a'b", 'a"b', "a%b?s", "{}", "-1", "ann  lee", "x" * 200]
)
def test_unusual_names(gallery, features, name):
    gallery.add_features(features[:1], name, camera=name, source=name)
    (match,) = gallery.search(features[0], where=Filter(cameras=[name]))
    assert (match.name, match.camera, match.source) == (name, name, name)
    assert gallery.erase(name) == 1


def test_sources_are_any_text(gallery, features):
    gallery.add_features(features[:1], "ann", source="a\nb\0\ud800")
    assert gallery.images("ann")[0].source == "a\nb\\0\\ud800"


@pytest.mark.parametrize("dim", [1, 3, 2001, 16_000])
def test_lengths(make_gallery, dim):
    gallery = make_gallery(feature_dim=dim)
    features = np.random.default_rng(0).standard_normal((3, dim))
    gallery.add_features(features[:, :dim], ["ann", "bob", "ann"])
    assert gallery.verify() == []
    assert gallery.search(features[0]).matches[0].similarity == pytest.approx(1, abs=1e-5)


def test_pictures_need_a_network(gallery):
    with pytest.raises(GalleryError, match="no network for pictures; give features"):
        gallery.add(np.zeros((40, 20, 3), np.uint8), "ann")


def test_stats(few):
    few.add_features(np.ones((1, 8)), "carl", camera="c1")
    stats = few.stats()
    wanted = {"identities": 3, "images": 7, "without_identity": 2, "cameras": 1, "feature_dim": 8}
    assert wanted.items() <= stats.items()
    assert stats["bytes"] > 0
    assert stats["index"] == "exact search"
    json.dumps(stats)


FAULTS = {
    "1 images have no feature": "DELETE FROM features WHERE image = {image}",
    "not of length 1": "UPDATE features SET feature = {long} WHERE image = {image}",
    "metadata of an identity is no JSON": "UPDATE identities SET metadata = '{{' WHERE id = 1",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_verify_finds_faults(few, fault):
    assert few.verify() == []
    engine = few._engine
    statement = FAULTS[fault].format(image=few.images("ann")[0].id, long="?")
    values = [engine.pack(np.full(8, 2, np.float32))] if "?" in statement else []
    with engine.change():
        engine.run(statement, values)
    assert fault in "; ".join(few.verify())


def test_verify_is_right_while_others_remove(few, place, open_gallery, monkeypatch):
    other = open_gallery(place)
    read = verifying.features_of

    def remove_before(engine, numbers):
        with other._engine.change():
            other._engine.run("DELETE FROM images WHERE id = ?", (numbers[0],))
        return read(engine, numbers)

    monkeypatch.setattr(verifying, "features_of", remove_before)
    assert few.verify() == []
    assert len(few) == 5


def test_threads_share_a_gallery(gallery, features):
    def work(thread):
        for row in range(thread, 40, 4):
            gallery.add_features(features[row : row + 1], f"p{row}")
            assert gallery.search(features[row]).matches[0].name == f"p{row}"
            gallery.rename(f"p{row}", f"q{row}")
            assert gallery.images(f"q{row}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert names_of(gallery) == {f"q{row}": 1 for row in range(40)}
    assert gallery.verify() == []


def test_what_was_opened_twice_is_one_gallery(few, place, open_gallery, features):
    other = open_gallery(place)
    few.search(features[0])
    other.add_features(features[50:51], "zoe")
    assert few.search(features[50]).matches[0].name == "zoe"
    other.erase("ann")
    assert "ann" not in {match.name for match in few.search(features[0])}
    other.merge("bob", "zoe")
    other.rename("zoe", "carl")
    assert [match.name for match in few.search(features[2])] == ["carl"]


def test_facts(make_gallery, place, open_gallery):
    gallery = make_gallery(keep="2w")
    facts = open_gallery(place).facts
    assert facts == gallery.facts
    assert (facts.feature_dim, facts.fingerprint, facts.keep) == (8, "", 14 * 86_400)


def test_an_error_within_a_batch_leaves_whole_batches(gallery, features):
    names = ["ann"] * 70 + ["bob"]
    gallery.add_features(features[70:71], "carl")
    with pytest.raises(GalleryError, match="the same image"):
        gallery.add_features(features[:71], names)
    assert names_of(gallery) == {"ann": 64, "carl": 1}
    assert gallery.add_features(features[:70], "ann").known == 64
    with pytest.raises(ConfigError):
        gallery.search(features[0], k=0)
