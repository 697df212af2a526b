"""Sets whose results say nothing are told, with every result and by the check."""

import pytest

from apnet.data import check_dataset, load_dataset

TRAIN = ["train/1/c1_0.jpg", "train/1/c2_0.jpg", "train/2/c1_0.jpg", "train/2/c2_0.jpg"]
TEST = ["query/3/c1_0.jpg", "gallery/3/c2_0.jpg", "gallery/4/c2_0.jpg"]

ONE_PERSON = "no wrong answer for any query"
NO_MATCH = "no query has a match"
ALONE = "train shows one identity only"
ONE_CAMERA = "train is from one camera only"
SAME = "query and gallery are the same"


def told(touch, root, names):
    """Returns the notes of loading, and the problems and remarks of the check."""
    touch(root, names)
    check = check_dataset("folder", root, decode=False)
    notes = load_dataset("folder", root).notes
    return " ".join(notes), " ".join(check.problems()), " ".join(check.remarks())


@pytest.mark.parametrize(
    "names", [[*TRAIN, *TEST], TEST, [name.replace("/c", "/x") for name in TEST]]
)
def test_a_sound_set_has_no_word_of_caution(touch, tmp_path, names):
    notes, problems, _ = told(touch, tmp_path, names)
    assert not any(caution in notes for caution in (ONE_PERSON, NO_MATCH, ALONE, SAME))
    assert problems == ""


@pytest.mark.parametrize(
    ("names", "caution"),
    [
        ([*TRAIN, *TEST[:2]], ONE_PERSON),
        (
            ["query/3/c1_0.jpg", "query/9/c1_0.jpg", "gallery/3/c1_0.jpg", "gallery/3/c2_0.jpg"],
            ONE_PERSON,
        ),
        (["query/3/a.jpg", "gallery/3/b.jpg", "gallery/3/c.jpg"], ONE_PERSON),
        ([*TRAIN, "query/3/c2_0.jpg", *TEST[1:]], NO_MATCH),
        (["query/3/c1_0.jpg", "gallery/3/c1_1.jpg", "gallery/4/c1_0.jpg"], NO_MATCH),
        (["query/3/a.jpg", "gallery/4/a.jpg", "gallery/5/a.jpg"], NO_MATCH),
    ],
)
def test_results_that_are_certain(touch, tmp_path, names, caution):
    notes, problems, _ = told(touch, tmp_path, names)
    assert caution in notes
    assert caution in problems


@pytest.mark.parametrize(
    ("names", "caution"),
    [
        ([*TRAIN[:2], *TEST], ALONE),
        (["train/1/a.jpg", "train/1/b.jpg"], ALONE),
        (["train/1/c1_0.jpg"], ALONE),
        ([*TRAIN[::2], *TEST], ONE_CAMERA),
        (["train/1/c7_0.jpg", "train/2/c7_0.jpg"], ONE_CAMERA),
        (["train/1/c7_0.jpg"], ONE_CAMERA),
    ],
)
def test_training_splits_of_one_kind(touch, tmp_path, names, caution):
    notes, problems, remarks = told(touch, tmp_path, names)
    assert caution in notes
    assert caution in remarks
    assert problems == ""


@pytest.mark.parametrize(
    ("camera", "caution"),
    [(("1", "2"), ""), (("1", "1"), NO_MATCH), (("-1", "-1"), "")],
)
def test_query_and_gallery_of_the_same_files(touch, tmp_path, camera, caution):
    rows = [f"{who}{n}.jpg,{who},{camera[n]}" for who in "ab" for n in (0, 1)]
    touch(tmp_path, [row.split(",")[0] for row in rows])
    lines = [f"{row},{split}" for row in rows for split in ("query", "gallery")]
    table = tmp_path / "people.csv"
    table.write_text("\n".join(["path,pid,camid,split", *lines]))
    notes = " ".join(load_dataset("csv", table).notes)
    assert f"{SAME} 4 images" in notes
    assert (NO_MATCH in notes) == bool(caution)
    assert any(SAME in remark for remark in check_dataset("csv", table, decode=False).remarks())
