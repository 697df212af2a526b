"""Galleries as files: exports, imports, and all that is held about a person."""

import json

import numpy as np
import pytest

import apnet
from apnet.errors import DataError, GalleryError
from apnet.gallery import Gallery
from gallery.states import names_of, set_metadata, state_of, unit

NOON = 1_800_000_000.0


def test_export_and_import(few, features, tmp_path, open_gallery):
    few.add_features(features[6:7], "carl", camera="c", time=NOON + 0.25, source="c.jpg")
    set_metadata(few, {"carl": {"team": "réd", "n": [1, 2.5, None]}})
    assert few.export(tmp_path / "out.npz") == 7
    place = str(tmp_path / "other.gallery")
    with Gallery.create(place, feature_dim=8) as other:
        result = other.import_(tmp_path / "out.npz")
        assert (result.added, result.known) == (7, 0)
        assert content_of(other) == content_of(few)
        result = other.import_(tmp_path / "out.npz")
        assert (result.added, result.known) == (0, 7)
        assert other.verify() == []


def content_of(gallery):
    """Returns what an export holds of a gallery: all but numbers and times of adding."""
    images = [image for name in [None, *names_of(gallery)] for image in gallery.images(name)]
    return (
        {each.name: (each.metadata, each.images, each.cameras) for each in gallery.identities()},
        sorted((im.name or "", im.camera, im.time, im.source, im.digest) for im in images),
    )


def test_an_export_is_features_for_other_programs(few, features, tmp_path):
    few.export(tmp_path / "out.npz")
    loaded = apnet.load_features(tmp_path / "out.npz")
    assert np.allclose(loaded.features, unit(features[:6]), atol=1e-6)
    assert loaded.pids.tolist() == [0, 0, 1, 1, -1, -1]
    with np.load(tmp_path / "out.npz") as file:
        assert file["identities"].tolist() == ["ann", "ann", "bob", "bob", "", ""]


def test_an_empty_gallery_is_exported(gallery, tmp_path):
    assert gallery.export(tmp_path / "out.npz") == 0
    assert gallery.import_(tmp_path / "out.npz").total == 0


@pytest.mark.parametrize(
    ("array", "value", "message"),
    [
        ("features", np.full((6, 8), np.nan), "not finite"),
        ("features", np.ones((6, 7)), "7 numbers"),
        ("features", np.ones((5, 8)), "does not fit"),
        ("features", np.array(["x"] * 6), "does not fit|must be numbers"),
        ("identities", np.array(["a\nb"] * 6), "cannot be printed"),
        ("times", np.full(6, -5.0), "outside the years"),
        ("digests", np.array(["zz"] * 6), "no sha256"),
        ("fingerprint", np.array("0123"), "of network 0123"),
        ("metadata", np.array("{"), "out.npz"),
        ("metadata", np.array('{"ann": 3}'), "out.npz"),
    ],
)
def test_damaged_exports(few, tmp_path, array, value, message):
    few.export(tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as file:
        arrays = {**file, array: value}
    np.savez(tmp_path / "out.npz", **arrays)
    few.erase("ann")
    before = state_of(few)
    with pytest.raises((DataError, GalleryError), match=message):
        few.import_(tmp_path / "out.npz")
    assert state_of(few) == before


def test_other_files_are_no_exports(few, tmp_path):
    np.savez(tmp_path / "other.npz", features=np.ones((2, 8)))
    with pytest.raises(DataError, match="no export of a gallery"):
        few.import_(tmp_path / "other.npz")
    with pytest.raises(DataError):
        few.import_(tmp_path / "nowhere.npz")
    with pytest.raises(GalleryError, match=r"\.npz"):
        few.export(tmp_path / "out.csv")
    with pytest.raises(GalleryError, match=r"\.json"):
        few.export_identity("ann", tmp_path / "out.npz")


def test_all_that_is_held_about_a_person(gallery, features, tmp_path):
    gallery.add_features(features[:2], "ann", camera="door", time=NOON, source="ann.jpg")
    set_metadata(gallery, {"ann": {"team": "red"}})
    gallery.add_features(features[2:3], "bob", source="bob.jpg")
    assert gallery.export_identity("ann", tmp_path / "ann.json") == 2
    text = (tmp_path / "ann.json").read_text()
    held = json.loads(text)
    assert (held["name"], held["metadata"]) == ("ann", {"team": "red"})
    assert [image["camera"] for image in held["images"]] == ["door", "door"]
    assert held["images"][0]["taken"] == "2027-01-15T08:00:00Z"
    assert np.allclose(held["images"][0]["feature"], unit(features[0]), atol=1e-6)
    assert [line["action"] for line in held["log"]] == ["add"]
    assert "bob" not in text
