"""Tracklets of several cameras: known, new or unsure, and how assignments are scored."""

import csv

import pytest
from PIL import Image

from apnet.errors import GalleryError
from apnet.gallery.track_scores import idf1, pairwise
from gallery.pictures import pixels, write_picture


@pytest.fixture
def gallery(picture_gallery):
    return picture_gallery


def write_crops(folder, rows):
    table = folder / "crops.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "camera", "tracklet", "time", "identity"])
        writer.writerows(rows)
    return table


def test_tracklets_are_known_new_or_apart(tmp_path, gallery):
    write_picture(tmp_path / "a1.png", 1)
    Image.fromarray(pixels(1) // 2 + 40).save(tmp_path / "a2.png")  # the same scene, darker
    write_picture(tmp_path / "b1.png", 2)
    table = write_crops(
        tmp_path,
        [
            ["a1.png", "1", "7", 10, "ann"],
            ["b1.png", "1", "8", 10, "bob"],
            ["a2.png", "2", "1", 20, "ann"],
        ],
    )
    first, second, third = gallery.assign(table, known=-1, new=-1)
    assert (first.decision, first.identity) == ("new", "person-0001")
    assert (second.decision, second.identity) == ("new", "person-0002")  # both seen at once
    assert third.decision == "known"
    assert gallery.identity(third.identity).images == 2
    again = gallery.assign(table, known=-1, new=-1)
    assert [each.identity for each in again] == [each.identity for each in (first, second, third)]
    assert len(gallery) == 3


def test_unsure_tracklets_do_not_join(tmp_path, gallery):
    write_picture(tmp_path / "a1.png", 1)
    write_picture(tmp_path / "b1.png", 2)
    table = write_crops(tmp_path, [["a1.png", 1, 1, 1, "a"], ["b1.png", 2, 1, 2, "b"]])
    found = gallery.assign(table, known=1, new=-1)
    assert [each.decision for each in found] == ["new", "unsure"]
    assert len(gallery) == 1


def test_scores_of_assignments():
    true, given = ["a", "a", "a", "b", "b"], ["x", "x", "y", "y", "z"]
    # best matching: a-x (2 tracklets), b-y or b-z (1): 3 of 5
    assert idf1(true, given, [1] * 5) == pytest.approx(3 / 5)
    assert idf1(true, given, [1, 1, 4, 1, 1]) == pytest.approx((4 + 1) / 8)
    scores = pairwise(true, given)  # pairs: true 3 + 1, given 1 + 1, both 1
    assert scores["pairwise_precision"] == pytest.approx(1 / 2)
    assert scores["pairwise_recall"] == pytest.approx(1 / 4)
    assert scores["pairwise_f1"] == pytest.approx(1 / 3)
    assert idf1(true, true, [1] * 5) == pairwise(true, true)["pairwise_f1"] == 1


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (["a1.png", "", "1", "1", ""], "line 2.*camera.*empty"),
        (["gone.png", "1", "1", "1", ""], "does not exist"),
        (["a1.png", "1", "1", "yesterday", ""], "no time"),
    ],
)
def test_wrong_tracklets(tmp_path, gallery, row, told):
    write_picture(tmp_path / "a1.png", 1)
    with pytest.raises(GalleryError, match=told):
        gallery.assign(write_crops(tmp_path, [row]), known=0.5)


def test_a_time_in_seconds_is_read(tmp_path, gallery):
    write_picture(tmp_path / "a1.png", 1)
    gallery.assign(write_crops(tmp_path, [["a1.png", "1", "1", "12.5", ""]]), known=0.5)
    assert gallery.images("person-0001")[0].time == 12.5
