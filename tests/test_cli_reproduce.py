"""Every experiment in one command, at the scale that takes seconds; kills and refusals."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from apnet.reproduction import COST, EXPERIMENTS, NAMES


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return tmp_path_factory.mktemp("people")


def smoke(name, people, out, *more):
    return ["reproduce", name, "--scale", "smoke", "--people", people, "--out", out, *more]


@pytest.mark.parametrize("name", [name for name in NAMES if name != COST])
def test_an_experiment_runs_whole(run, people, tmp_path, name):
    code, text, err = run(*smoke(name, people, tmp_path))
    assert code == 0, err
    experiment = EXPERIMENTS[name]
    table = json.loads((tmp_path / "table.json").read_text())
    assert table["finished"] == table["runs"] == len(list((tmp_path / "results").iterdir()))
    assert [trial["trial"] for trial in table["trials"]] == [
        trial.key for trial in experiment.trials
    ]
    for trial in table["trials"]:
        assert [row["name"] for row in trial["rows"]] == [it.name for it in experiment.systems]
        for row in trial["rows"]:
            assert row["seeds"] == [0]
            assert 0 < row["mean"]["mAP"] < 1
            assert row["protocol"]["junk_rule"] == "same-camera"
            assert row["protocol"]["data"]["name"] == trial["test"]
            assert "sha256" in row["models"][0]
            assert {"coarse", "fine"} & set(row["mean"])
    assert text.rstrip() == (tmp_path / "table.md").read_text().rstrip()
    for kind in ("png", "svg"):
        assert (tmp_path / f"figure.{kind}").stat().st_size > 5000
    assert not list(tmp_path.glob("runs/*/state.safetensors"))


def test_costs(run, tmp_path):
    code, text, _ = run("reproduce", COST, "--out", tmp_path, "--json")
    assert code == 0
    rows = {row["system"]: row for row in json.loads(text)["rows"]}
    for level in range(4):
        row = rows[f"apnet-c{level}"]
        assert row["as_the_paper"] == pytest.approx(row["paper"], abs=0.015)
    assert rows["apnet-c0"]["multiply_adds"] == pytest.approx(6.207, abs=0.001)
    assert {path.name for path in tmp_path.iterdir()} == {
        "table.json",
        "table.md",
        "figure.png",
        "figure.svg",
    }


def test_levels_are_drawn_and_measured(run, people, tmp_path):
    assert run(*smoke("fig6", people, tmp_path, "--seeds", 2))[0] == 0
    levels = json.loads((tmp_path / "table.json").read_text())["levels"]
    assert [[len(stage) for stage in by_run] for by_run in levels["area"]] == [[3] * 4] * 2
    known = [area for by_run in levels["area"] for stage in by_run for area in stage if area]
    assert known
    assert all(0 < area <= 1 for area in known)
    assert len(list((tmp_path / "pictures").iterdir())) == 6


def test_more_seeds_go_on_and_are_tested_in_pairs(run, people, tmp_path):
    assert run(*smoke("table6", people, tmp_path))[0] == 0
    first = json.loads((tmp_path / "table.json").read_text())
    weights = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/last.safetensors")}
    code, text, _ = run(*smoke("table6", people, tmp_path, "--seeds", 3, "--json"))
    assert code == 0
    table = json.loads(text)
    assert {path: path.stat().st_mtime_ns for path in weights} == weights, "nothing runs again"
    base, ours = table["trials"][0]["rows"]
    assert base["against"] is None
    assert ours["seeds"] == [0, 1, 2]
    assert ours["values"]["mAP"][0] == first["trials"][0]["rows"][1]["values"]["mAP"][0]
    pairs = zip(ours["values"]["mAP"], base["values"]["mAP"], strict=True)
    differences = [one - other for one, other in pairs]
    assert ours["against"]["difference"]["mAP"] == pytest.approx(sum(differences) / 3)
    assert 0 < ours["against"]["p"]["mAP"] < 1
    assert " (p " in (tmp_path / "table.md").read_text()


def test_other_settings_in_the_same_folder(run, people, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    code, _, err = run(*smoke("table6", people, tmp_path / "other"))
    assert code == 2
    assert "holds no experiment" in err
    assert run(*smoke("table6", people, tmp_path / "out"))[0] == 0
    code, _, err = run(*smoke("fig6", people, tmp_path / "out"))
    assert code == 2
    assert "different: experiment, data" in err
    own = f"occluded-duke={people}"
    code, _, err = run(*smoke("table6", people, tmp_path / "out", "--data", own))
    assert code == 2
    assert "different: data)" in err


def test_the_users_own_set(run, people, tmp_path):
    assert run(*smoke("fig6", people, tmp_path / "first"))[0] == 0
    (own,) = people.glob("few-3")
    code, text, err = run(
        *smoke("fig6", people, tmp_path / "out", "--data", f"market1501={own}", "--json")
    )
    assert code == 0, err
    (trial,) = json.loads(text)["trials"]
    assert trial["test"] == "market1501"
    assert trial["rows"][0]["protocol"]["data"]["name"] == "market1501"


def test_a_set_without_training_images(run, people, tmp_path):
    assert run(*smoke("table6", people, tmp_path / "first"))[0] == 0
    (own,) = people.glob("few-5")
    for split in ("query", "bounding_box_test"):
        (tmp_path / "own" / split).mkdir(parents=True)
        for image in (own / split).glob("*.jpg"):
            (tmp_path / "own" / split / image.name).write_bytes(image.read_bytes())
    source = f"market1501={tmp_path / 'own'}"
    code, _, err = run(*smoke("fig5", people, tmp_path / "out", "--data", source))
    assert code == 2
    assert "no training images" in err


def test_leftovers_of_a_kill_are_no_obstacle(run, people, tmp_path):
    folder = tmp_path / "runs" / "market1501-apnet-c2-seed0"
    folder.mkdir(parents=True)
    (tmp_path / ".settings.json.x.part").write_text("{")
    code, _, _ = run(*smoke("fig6", people, tmp_path))
    assert code == 2, "runs without settings are not ours"
    folder.rmdir()
    folder.parent.rmdir()
    (tmp_path / ".settings.json.y.part").write_text("{")
    assert run(*smoke("fig6", people, tmp_path))[0] == 0
    assert not list(tmp_path.glob(".*"))


def test_full_scale_asks_for_data(run, tmp_path):
    code, _, err = run("reproduce", "table6", "--out", tmp_path / "out")
    assert code == 2
    assert "--data occluded-duke=DIR" in err
    assert "table6" in err
    assert not (tmp_path / "out").exists()
    code, _, err = run("reproduce", COST, "--data", f"market1501={tmp_path}", "--out", tmp_path)
    assert code == 2
    assert "leave it out" in err


def test_a_dry_run_runs_nothing(run, people, tmp_path):
    arguments = smoke("table7", people, tmp_path / "out", "--dry-run")
    code, text, _ = run(*arguments, "--json")
    assert code == 0
    found = json.loads(text)
    assert len(found["runs"]) == 8
    assert found["seconds"] == pytest.approx(sum(each["seconds"] for each in found["runs"]), abs=1)
    assert all(each["seconds"] > 0 for each in found["runs"])
    code, text, _ = run(*arguments)
    assert "8 runs, about" in text
    assert not (tmp_path / "out").exists()
    assert run("reproduce", COST, "--dry-run", "--out", tmp_path / "out")[0] == 0
    assert not (tmp_path / "out").exists()


KILLED_AT = (
    "people/few-*/bounding_box_train/*.jpg",
    "out/runs/*seed0/run.json",
    "out/runs/*seed0/.state.safetensors.*",
    "out/results/*",
    "out/runs/*seed1/*state.safetensors*",
)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_at_any_moment(run, people, tmp_path):
    """The table of a job that was killed again and again is that of one that never was."""
    assert run(*smoke("table6", people, tmp_path / "whole", "--seeds", 2))[0] == 0
    arguments = smoke("table6", tmp_path / "people", tmp_path / "out", "--seeds", 2)
    command = [sys.executable, "-m", "apnet", *map(str, arguments), "--workers", "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    killed = 0
    for moment in KILLED_AT:
        job = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while job.poll() is None and not any(tmp_path.glob(moment)):
            time.sleep(0.002)
        job.kill()
        killed += job.wait() == -signal.SIGKILL
    assert killed >= 3
    assert run(*arguments)[0] == 0
    whole, again = (tmp_path / name / "table.json" for name in ("whole", "out"))
    assert again.read_bytes() == whole.read_bytes()
