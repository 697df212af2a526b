"""Options and values that a command would not use are refused, and nothing is written."""

import numpy as np
import pytest

from apnet.arguments import as_path
from apnet.errors import ApnetError
from market_people import write_people


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("reproduce", "table3", "--scale", "small"), "--scale: has no effect on table3"),
        (("reproduce", "table3", "--seeds", "3"), "--seeds: has no effect on table3"),
        (("reproduce", "table3", "--people", "p", "--workers", "2"), "--people, --workers"),
        (("demo", "--out", "d", "--data", "folder=x", "--workers", "3"), "--workers: has no"),
        (("demo", "--out", "d", "--set", "evaluate_every=1"), "evaluates at its end"),
        (("demo", "--out", "d", "--set", "network.parts=[]"), "at least one level"),
        (("demo", "--out", "d", "--set", "weights=nothing"), "no such weights file"),
        (("data", "make", "m", "--share", "0.5"), "--share: has no effect without --set"),
    ],
)
def test_what_has_no_effect_is_refused(run, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert says in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("trian",), "did you mean 'train'"),
        (("score",), "missing argument 'query'; see 'apnet score --help'"),
        (("data", "show", "m"), "see 'apnet data show --help'"),
        (("reproduce", "table1"), "'table1' is not one of"),
        (("data", "make", "m", "--ids", "x"), "'--ids'"),
        (("score", "a.npz", "--jsn"), "--jsn"),
    ],
)
def test_wrong_usage_is_one_line(run, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert says.lower() in err.lower()


@pytest.mark.parametrize("arguments", [(), ("data",)])
def test_no_command_gives_the_help(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "Usage: " in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("score", ""),
        ("embed", "", "--out", "x.npz"),
        ("embed", "a.png", "--out", ""),
        ("data", "check", "folder", ""),
        ("evaluate", "r", "--data", "folder=x", "--pictures", ""),
        ("train", "--resume", ""),
    ],
)
def test_an_empty_path_is_not_the_current_folder(run, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "empty; name a file or folder" in err


@pytest.mark.parametrize("text", ["~nobody-of-this-name", "~nobody-of-this-name/x"])
def test_an_unknown_home_is_told_in_words(text):
    with pytest.raises(ApnetError, match=r"there is no user of this name.*write the folder out"):
        as_path(text, "path")


def test_equal_query_and_gallery_and_one_identity_are_noted(run, tmp_path):
    features = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    np.savez(tmp_path / "many.npz", features=features, pids=np.arange(6) % 3)
    np.savez(tmp_path / "one.npz", features=features, pids=np.zeros(6, int))
    np.savez(tmp_path / "query.npz", features=features[:2], pids=np.arange(2))
    assert "the same 6 features" in run("score", tmp_path / "many.npz", tmp_path / "many.npz")[1]
    assert "one identity only" in run("score", tmp_path / "query.npz", tmp_path / "one.npz")[1]
    assert "notes" not in run("score", tmp_path / "query.npz", tmp_path / "many.npz")[1]


def test_a_zero_feature_is_named_by_row(run, tmp_path):
    features = np.ones((6, 4), np.float32)
    features[3] = 0
    np.savez(tmp_path / "f.npz", features=features, pids=np.arange(6) % 3)
    code, _, err = run("score", tmp_path / "f.npz", tmp_path / "f.npz")
    assert code == 2
    assert "'features' are zero, the first is row 3" in err


def test_a_picture_must_have_a_format_that_is_written(run, tmp_path):
    people = write_people(tmp_path / "market")
    for name in ("x.gif", "x", "x.eps"):
        code, _, err = run("data", "sheet", people, "--out", tmp_path / name)
        assert code == 2
        assert "ends in .png, .jpg or .jpeg" in err
        assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", [".npz", ".NPZ", "folder/.h5"])
def test_an_ending_is_no_name(run, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("embed", "a.png", "--out", name)
    assert code == 2
    assert "an ending without a name" in err
    assert not list(tmp_path.iterdir())
