"""What does not fit is refused in one line, and the gallery stays as it was."""

import datetime

import numpy as np
import pytest

import apnet
from apnet.errors import ApnetError, GalleryError
from apnet.gallery import Gallery
from gallery.states import state_of


@pytest.mark.parametrize("names", [["carl", "bob"], ["carl", "ann"]])
def test_the_same_image_under_another_name_is_refused(kept, features, names):
    before = state_of(kept)
    with pytest.raises(GalleryError, match=r"in the gallery as '(ann|bob)', not"):
        kept.add_features(features[[0, 2]][:: 1 if names[1] == "bob" else -1], names)
    assert state_of(kept) == before


def test_the_same_image_at_once_under_two_names_is_refused(kept, features):
    before = state_of(kept)
    with pytest.raises(GalleryError, match="the same image"):
        kept.add_features(features[[9, 9]], ["ann", "bob"])
    assert state_of(kept) == before


def test_images_with_identity_are_not_labelled(kept):
    before = state_of(kept)
    free, held = kept.images(None)[0].id, kept.images("ann")[0].id
    for numbers in ([free, held], [free, 10**6]):
        with pytest.raises(GalleryError, match="is not there, or has an identity"):
            kept.label(numbers, "bob")
        assert state_of(kept) == before


def test_several_queries_at_once_need_search_many(kept, features):
    with pytest.raises(GalleryError, match="search_many"):
        kept.search(features[:2])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"k": 0}, "k = 0"),
        ({"k": True}, "k = True"),
        ({"by": "median"}, "by = 'median'"),
        ({"fmr": 2}, "fmr = 2"),
        ({"threshold": float("nan")}, "threshold = nan"),
        ({"threshold": 1.5}, "threshold = 1.5"),
        ({"threshold": 0.5, "fmr": 0.1}, "not both"),
        ({"fmr": 1e-3}, "needs a calibration"),
    ],
)
def test_wrong_wishes(kept, features, how, message):
    before = state_of(kept)
    with pytest.raises(ApnetError, match=message):
        kept.search(features[0], **how)
    assert state_of(kept) == before


@pytest.mark.parametrize(
    ("names", "message"),
    [(("zoe", "x"), "nobody is called 'zoe'"), (("ann", "bob"), "'bob' is there already")],
)
def test_wrong_renames(kept, names, message):
    before = state_of(kept)
    with pytest.raises(GalleryError, match=message):
        kept.rename(*names)
    assert state_of(kept) == before


@pytest.mark.parametrize("names", [("ann", "ann"), ("ann", "zoe"), ("zoe", "ann")])
def test_wrong_merges(kept, names):
    before = state_of(kept)
    with pytest.raises(GalleryError, match=r"into itself|nobody is called"):
        kept.merge(*names)
    assert state_of(kept) == before


@pytest.mark.parametrize("strange", [10**6, -1, 2**70])
def test_wrong_removals(kept, strange):
    before = state_of(kept)
    with pytest.raises(GalleryError, match="1 of these images are not there"):
        kept.remove([kept.images("ann")[0].id, strange])
    assert state_of(kept) == before


@pytest.mark.parametrize("keep", ["30", "d", "-3d", "0d", 0, -1, float("nan"), True, "9" * 9 + "y"])
def test_wrong_periods(place, keep):
    with pytest.raises(GalleryError, match="is no period"):
        Gallery.create(place, feature_dim=8, keep=keep)
    with pytest.raises(GalleryError, match="no such gallery"):
        Gallery(place)


def test_features_of_another_network(kept, features):
    found = apnet.Embeddings(
        features.astype(np.float32), np.zeros(200, int), np.zeros(200, int), fingerprint="abc"
    )
    before = state_of(kept)
    for call in (kept.add_features, kept.search_many):
        with pytest.raises(GalleryError, match="of network abc, and an unknown network"):
            call(found)
    assert state_of(kept) == before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.ones((3, 7)), "7 numbers, and this gallery's have 8"),
        (np.ones((3, 2, 8)), "must be numbers"),
        (np.full((3, 8), np.nan), "feature 0 is not finite"),
        (np.full((3, 8), np.inf), "feature 0 is not finite"),
        (np.full((3, 8), 1e300), "feature 0 is not finite"),
        (np.eye(8)[:3] * [[1], [1], [0]], "feature 2 is zero"),
        (np.full((3, 8), "a"), "must be numbers"),
        ([[1.0] * 8, [1.0] * 7], "must be numbers"),
        (np.full((3, 8), 1j), "must be numbers"),
    ],
)
def test_wrong_features(kept, wrong, message):
    before = state_of(kept)
    with pytest.raises(GalleryError, match=message):
        kept.add_features(wrong, "carl")
    assert state_of(kept) == before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.ones(7), "7 numbers"),
        (np.full(8, np.nan), "not finite"),
        (np.zeros(8), "is zero"),
    ],
)
def test_wrong_queries(kept, wrong, message):
    before = state_of(kept)
    with pytest.raises(GalleryError, match=message):
        kept.search(wrong)
    assert state_of(kept) == before


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"names": "x" * 10_000}, "10,000 characters; use at most 200"),
        ({"names": "a\nb"}, "cannot be printed"),
        ({"names": "a\0b"}, "cannot be printed"),
        ({"names": "a\u202eb"}, "cannot be printed"),
        ({"names": "\ud800"}, "cannot be printed"),
        ({"names": "  "}, "the name is empty"),
        ({"names": ["ann"]}, "2 features and 1 names"),
        ({"names": ["ann", ""]}, "the name is empty"),
        ({"camera": "x" * 10_000}, "the camera .* 10,000 characters"),
        ({"camera": "a\tb"}, "the camera .* cannot be printed"),
        ({"source": "x" * 10_000}, "the source .* 10,000 characters"),
        ({"time": "2026-11-26T08:00:00"}, "has no zone; write 2026-11-26T08:00:00Z"),
        ({"time": datetime.datetime(2026, 11, 26)}, "has no zone"),
        ({"time": "yesterday"}, "'yesterday' is no time"),
        ({"time": -1.0}, "outside the years"),
        ({"time": float("nan")}, "outside the years"),
        ({"time": 1e18}, "outside the years"),
    ],
)
def test_wrong_values(kept, features, how, message):
    before = state_of(kept)
    with pytest.raises(GalleryError, match=message):
        kept.add_features(features[8:10], **how)
    assert state_of(kept) == before
    assert len(message) < 300


@pytest.mark.parametrize("how", [{"names": [1, 2]}, {"camera": 1.5}, {"time": []}, {"time": True}])
def test_values_of_wrong_types(kept, features, how):
    before = state_of(kept)
    with pytest.raises(TypeError):
        kept.add_features(features[8:10], **how)
    assert state_of(kept) == before


@pytest.mark.parametrize("new", ["x" * 10_000, "a\nb", " "])
def test_wrong_new_names(kept, new):
    before = state_of(kept)
    for call in (
        lambda: kept.rename("ann", new),
        lambda: kept.label([kept.images(None)[0].id], new),
        lambda: kept.erase(new),
    ):
        with pytest.raises(GalleryError, match=r"characters|is empty"):
            call()
    assert state_of(kept) == before


def test_a_gallery_is_not_made_twice(kept, shared_place):
    before = state_of(kept)
    with pytest.raises(GalleryError, match="is there already"):
        Gallery.create(shared_place, feature_dim=8)
    assert state_of(kept) == before


def test_no_such_gallery(place):
    with pytest.raises(GalleryError, match="no such gallery; make one with 'apnet gallery create'"):
        Gallery(place)


@pytest.mark.parametrize("dim", [0, -1, 16_001])
def test_wrong_lengths(place, dim):
    with pytest.raises(GalleryError, match="use 1 to 16,000"):
        Gallery.create(place, feature_dim=dim)
