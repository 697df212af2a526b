"""Every experiment in one command, at the scale that takes seconds; kills and refusals."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

import apnet.reproduction
from apnet.reproduction import COST, EXPERIMENTS, NAMES, experiment_table
from latex_tables import read_latex


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
    check_forms(table)
    if name == "table2":
        code, text, _ = run(*smoke(name, people, tmp_path, "--csv"))
        assert (code, text) == (0, experiment_table(table).csv())
        code, text, _ = run(*smoke(name, people, tmp_path, "--latex"))
        assert (code, text) == (0, experiment_table(table).latex())
    if name == "table6":
        check_slices(run, people, tmp_path)


def check_forms(table):
    """Compares a table as CSV and LaTeX with the one as JSON."""
    rows = [(trial, row) for trial in table["trials"] for row in trial["rows"]]
    printed = experiment_table(table)
    found = list(csv.DictReader(io.StringIO(printed.csv())))
    lines, caption = read_latex(printed.latex())
    assert len(found) == len(lines) - 1 == len(rows)
    for line, cells, (trial, row) in zip(found, lines[1:], rows, strict=True):
        assert (line["trial"], line["system"], line["name"]) == (
            *(trial["trial"], row["system"], row["name"]),
        )
        for key, value in row["mean"].items():
            assert float(line[f"{key}_mean"]) == value
            spread = row["deviation"][key]
            assert line[f"{key}_deviation"] == ("" if spread is None else repr(spread))
        for key, value in row["paper"].items():
            assert line[f"{key}_paper_percent"] == ("" if value is None else repr(value))
        for key, value in (row["against"] or {}).get("difference", {}).items():
            assert float(line[f"{key}_difference"]) == value
        assert line["against"] == (row["against"] or {"system": ""})["system"]
        assert line["distance"] == row["protocol"]["distance"]
        assert json.loads(line["data"]) == row["protocol"]["data"]
        named = dict(zip(lines[0], cells, strict=True))
        assert named["system"] == row["name"]
        spread = row["deviation"]["mAP"]
        shown = "" if spread is None else f" ± {100 * spread:.1f}"
        assert named["mAP"] == f"{100 * row['mean']['mAP']:.1f}{shown}"
    assert "cosine distance" in caption


def check_slices(run, people, out):
    """A run of the experiment, evaluated on its own people: slices are rows of the CSV."""
    (own,) = people.glob("few-5")
    network = next((out / "runs").iterdir())
    command = ("evaluate", network, "--data", f"market1501={own}", "--workers", 0)
    figures = json.loads(run(*command, "--json")[1])
    first, *parts = csv.DictReader(io.StringIO(run(*command, "--csv")[1]))
    assert float(first["mAP"]) == figures["mAP"]
    assert len(parts) == len(figures["breakdown"]) > 0
    for row, part in zip(parts, figures["breakdown"], strict=True):
        assert (row["by"], row["slice"]) == (part.pop("by"), part.pop("name"))
        assert {key: float(row[key]) for key in part} == part
    assert len(read_latex(run(*command, "--latex")[1])[0]) == len(parts) + 2


def test_costs(run, tmp_path, monkeypatch):
    code, text, _ = run("reproduce", COST, "--out", tmp_path, "--json")
    assert code == 0
    table = json.loads(text)
    rows = {row["system"]: row for row in table["rows"]}
    monkeypatch.setattr(apnet.reproduction, "cost_table", lambda _progress: table)
    code, text, _ = run("reproduce", COST, "--out", tmp_path, "--csv")
    assert code == 0
    for line in csv.DictReader(io.StringIO(text)):
        row = rows[line["system"]]
        for key in ("paper", "as_the_paper", "multiply_adds", "parameters"):
            assert float(line[key]) == row[key]
    code, text, _ = run("reproduce", COST, "--out", tmp_path, "--latex")
    assert code == 0
    assert read_latex(text)[0][1][:3] == ["APNet-C0", "6.23", "6.232"]
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
    check_forms(table)
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
    assert trial["rows"][0]["protocol"]["data"]["name"] == "synthetic"  # it is rendered


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
    code, _, err = run(*arguments, "--csv")
    assert code == 2
    assert "--csv: --dry-run finds no figures" in err
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
