"""The commands of ``apnet data`` as a user meets them."""

import json
import shutil

import pytest
from PIL import Image


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A tiny set of synthetic people."""
    from apnet.synthetic import make_people

    root = tmp_path_factory.mktemp("sets") / "people"
    make_people(root, ids=8, images_per_id=4, seed=3, size=(48, 24), workers=0)
    return root


def test_make_reports_what_was_made(run, tmp_path):
    code, out, _ = run(
        *("data", "make", tmp_path / "new", "--ids", 4, "--images", 4),
        *("--cameras", 2, "--size", "32x16", "--workers", 0),
    )
    assert code == 0
    assert "16 images of 4 synthetic people" in out
    assert len(list((tmp_path / "new" / "bounding_box_train").iterdir())) == 8


def test_check_and_list(run, people):
    code, out, _ = run("data", "check", "market1501", people, "--json")
    assert code == 0
    json.loads(out)
    assert run("data", "check", "market1501", people)[0] == 0
    assert "msmt17" in run("data", "list")[1].splitlines()


@pytest.mark.parametrize("json_form", [(), ("--json",)])
def test_check_exits_1_when_there_are_problems(run, people, tmp_path, json_form):
    faulty = tmp_path / "faulty"
    shutil.copytree(people, faulty)
    broken = next((faulty / "query").iterdir())
    broken.write_bytes(broken.read_bytes()[:-20])
    code, out, _ = run("data", "check", "market1501", faulty, *json_form)
    assert code == 1
    assert broken.name in out
    assert run("data", "check", "market1501", faulty, "--no-decode", *json_form)[0] == 0


def test_check_names_a_missing_training_split(run, people, tmp_path):
    partial = tmp_path / "partial"
    shutil.copytree(people, partial)
    shutil.rmtree(partial / "bounding_box_train")
    code, out, _ = run("data", "check", "market1501", partial)
    assert code == 0
    assert "note: no training split: for testing only" in out


@pytest.mark.parametrize("prefix", ["", "market1501="])
def test_show_draws_a_person_of_a_folder_or_a_source(run, people, tmp_path, prefix):
    code, out, _ = run("data", "show", f"{prefix}{people}", "--pid", 2, "--out", tmp_path / "2.png")
    assert code == 0
    assert "2.png" in out
    with Image.open(tmp_path / "2.png") as image:
        assert len(image.getcolors(1 << 24)) > 100


def test_show_names_its_picture_after_the_person(run, people, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("data", "show", people, "--pid", 7)[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["person-0007.png"]


def test_more_people_make_a_taller_sheet(run, people, tmp_path):
    heights = []
    for count in (2, 6):
        out = tmp_path / f"{count}.jpg"
        assert run("data", "sheet", people, "--out", out, "--people", count, "--images", 3)[0] == 0
        with Image.open(out) as image:
            assert image.format == "JPEG"
            heights.append(image.height)
    assert heights[0] < heights[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "SET", "--pid", 99), "pids go from 1 to 8"),
        (("show", "SET"), "--pid"),
        (("show", "nowhere", "--pid", 1), "nowhere: no such folder"),
        (("show", "market1502=nowhere", "--pid", 1), "did you mean 'market1501'"),
        (("sheet", "nowhere", "--out", "a.png"), "nowhere: no such folder"),
        (("sheet", "SET"), "--out"),
        (("sheet", "SET", "--out", "a.png", "--people", 0), "--people"),
        (("make", "new", "--set", "people-small", "--ids", 9, "--seed", 1), "--ids, --seed"),
        (("make", "new", "--size", f"{'9' * 5000}x64"), "is no image size"),
        (("make", "new", "--ids", 10**30), "--ids"),
        (("show", "SET", "--pid", 2**31), "--pid"),
        (("show", "SET", "--pid", "9" * 5000), "--pid"),
        (("show", "x" * 5000, "--pid", 1), "too long for the file system"),
        (("sheet", "market1501=~nosuchuser", "--out", "a.png"), "no user of this name"),
        (("make", "new", "--share", 0.5), "no effect without --set"),
    ],
)
def test_bad_input_is_one_clear_line(run, people, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("data", *(people if one == "SET" else one for one in arguments))
    assert code == 2
    assert says in err
    assert "Traceback" not in err + out
    assert not any(tmp_path.iterdir())


def test_damaged_metadata_is_named_by_line(run, people, tmp_path):
    root = tmp_path / "set"
    for folder in ("query", "bounding_box_test", "bounding_box_train"):
        (root / folder).mkdir(parents=True)
        for path in (people / folder).iterdir():
            (root / folder / path.name).write_bytes(path.read_bytes())
    (root / "metadata.jsonl").write_text('{"pid": 1}\n{"pid"\n')
    code, _, err = run("data", "show", root, "--pid", 2, "--out", tmp_path / "2.png")
    assert code == 2
    assert "metadata.jsonl: line 2: damaged" in err


def test_a_named_set_is_listed_and_made(run, tmp_path):
    code, out, _ = run("data", "sets")
    assert code == 0
    assert "people-market" in out
    _, out, _ = run("data", "sets", "--json")
    assert json.loads(out)["people-market"]["counts"]["train"] == [751, 12936]
    small = ("--set", "people-small", "--share", 0.02, "--workers", 0)
    code, out, _ = run("data", "make", tmp_path / "set", *small)
    assert code == 0
    assert "72 images of 6" in out
    code, _, err = run("data", "make", tmp_path / "other", "--set", "people-smal")
    assert code == 2
    assert "did you mean 'people-small'" in err
