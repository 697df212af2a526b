"""The command line as a user meets it: exit codes, one-line errors, JSON."""

import csv
import io
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from latex_tables import read_latex


@pytest.fixture
def market(tmp_path):
    """A Market-1501 skeleton with a few images of coloured noise."""
    root = tmp_path / "market"
    random = np.random.default_rng(0)
    for folder, pids in (
        ("bounding_box_train", range(2, 6)),
        ("query", range(6, 9)),
        ("bounding_box_test", range(6, 9)),
    ):
        (root / folder).mkdir(parents=True)
        for pid in pids:
            color = np.random.default_rng(pid).integers(0, 256, 3)
            cameras = (1,) if folder == "query" else (1, 2, 3)
            for camera in cameras:
                pixels = np.clip(color + random.integers(-40, 40, (32, 16, 3)), 0, 255)
                name = f"{pid:04d}_c{camera}s1_{pid * 10 + camera:06d}_00.jpg"
                Image.fromarray(pixels.astype(np.uint8)).save(root / folder / name)
    return root


SMALL = [
    *("--set", "network.backbone=resnet10t"),
    *("--set", "network.backbone_options={channels=[8,8,16,16], stem_width=8}"),
    *("--set", "network.reduction=4"),
    *("--set", "network.image_size=[32, 16]"),
    *("--set", "weights=random"),
    *("--set", "sampling={identities_per_batch=2, images_per_identity=2}"),
    *("--set", "epochs=2"),
    *("--workers", "0"),
]


def test_help_and_version(run):
    code, out, _ = run("--help")
    assert code == 0
    for command in ("demo", "train", "evaluate", "score", "cost", "data"):
        assert command in out
    code, out, _ = run("--version")
    assert code == 0
    assert out.startswith("apnet 0.")


def test_cost(run):
    code, out, _ = run("cost", "apnet-c2", "--size", "224x224", "--json")
    assert code == 0
    figures = json.loads(out)
    assert figures["paper_multiply_adds"] / 1e9 == pytest.approx(6.24, abs=0.02)
    assert run("cost", "apnet-s1")[0] == 0


def test_train_evaluate_resume(run, market, tmp_path):
    out = tmp_path / "run"
    code, printed, _ = run(
        "train", "paper-c", "--data", f"market1501={market}", "--out", out, *SMALL
    )
    assert code == 0
    assert "mAP" in printed
    code, printed, _ = run(
        "evaluate", out, "--data", f"market1501={market}", "--json", "--workers", 0
    )
    assert code == 0
    figures = json.loads(printed)
    assert set(figures) >= {"mAP", "mINP", "rank1", "rank5", "rank10", "protocol"}
    assert figures["protocol"]["model"].count("sha256:") == 1
    assert figures["protocol"]["image_size"] == [32, 16]
    same = ("evaluate", out, "--data", f"market1501={market}", "--workers", 0)
    code, printed, _ = run(*same, "--csv")
    assert code == 0
    check_csv(printed, figures)
    code, printed, _ = run(*same, "--latex")
    assert code == 0
    assert figures["protocol"]["model"] in read_latex(printed)[1]
    assert run("train", "--resume", out, "--workers", 0)[0] == 0


def test_score(run, tmp_path):
    random = np.random.default_rng(0)
    for name, count in (("query", 5), ("gallery", 30)):
        np.savez(
            tmp_path / f"{name}.npz",
            features=random.normal(size=(count, 8)).astype(np.float32),
            pids=np.arange(count) % 5,
            camids=np.full(count, 1 if name == "query" else 2),
        )
    code, out, _ = run("score", tmp_path / "query.npz", tmp_path / "gallery.npz", "--json")
    assert code == 0
    assert 0 < json.loads(out)["mAP"] < 1
    code, table, _ = run("score", tmp_path / "query.npz", tmp_path / "gallery.npz", "--csv")
    assert code == 0
    check_csv(table, json.loads(out))
    code, latex, _ = run("score", tmp_path / "query.npz", tmp_path / "gallery.npz", "--latex")
    assert code == 0
    assert read_latex(latex)[0][1][1] == f"{100 * json.loads(out)['mAP']:.2f}"
    code, out, _ = run("score", tmp_path / "query.npz", tmp_path / "gallery.npz")
    assert code == 0
    assert "mAP" in out


def check_csv(text, figures):
    """Compares the first line of a table with the JSON of an evaluation."""
    row, *_ = csv.DictReader(io.StringIO(text))
    for key in ("mAP", "mINP", "rank1", "rank5", "rank10", "mAP_hits", "mAP_trapezoidal"):
        assert float(row[key]) == figures[key]
    for key in ("distance", "junk_rule", "ap_kind", "precision", "feature"):
        assert row[key] == figures["protocol"][key]
    assert json.loads(row["data"]) == figures["protocol"]["data"]


@pytest.mark.parametrize(
    "command", [["score", "a.npz"], ["evaluate", "run", "--data", "x=y"], ["reproduce", "table2"]]
)
def test_two_forms_of_output_are_refused(run, command):
    for flags, said in (
        (["--json", "--csv"], "--json and --csv"),
        (["--latex", "--csv"], "--csv and --latex"),
    ):
        code, out, err = run(*command, *flags)
        assert (code, out) == (2, "")
        assert f"{said}: choose one form of output" in err


def test_presets_are_listed(run):
    assert "apnet-c2" in run("presets")[1]


def no_files_in(folder):
    return not folder.exists() or not any(folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["cost", "apnet-c9"], "apnet-c9"),
        (["cost", "apnet-c2", "--size", "big"], "HEIGHTxWIDTH"),
        (["cost", "apnet-c2", "--size", "1x1"], "16 to 4096"),
        (["cost", "apnet-c2", "--siz", "224x224"], "--siz"),
        (["evaluate", "nowhere", "--data", "market1501=nowhere"], "no such checkpoint"),
        (["score", "nowhere.npz", "nowhere.npz"], "nowhere.npz"),
        (["data", "check", "market1502", "."], "market1501"),
        (["data", "check", "market1501", "nowhere"], "nowhere"),
        (["data", "make", "OUT", "--size", "x"], "HEIGHTxWIDTH"),
        (["data", "make", "OUT", "--ids", "1"], "ids"),
        (["train"], "--data NAME=DIR"),
        (["train", "paper-c", "--data", "market1501=nowhere", "--out", "OUT"], "nowhere"),
        (["train", "paper-c", "--data", "market1501", "--out", "OUT"], "NAME=DIR"),
        (["train", "--resume", "nowhere"], "nowhere"),
        (["train", "--resume", "nowhere", "--out", "OUT"], "leave RECIPE, --data and --out out"),
        (["demo", "--data", "market1501=nowhere", "--out", "OUT"], "nowhere"),
        (["demo", "--set", "seeed=1", "--out", "OUT"], "did you mean 'seed'"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_input_is_one_clear_line(run, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert code == 2
    assert says in err
    assert "Traceback" not in err + out
    assert no_files_in(tmp_path / "OUT")


def test_a_broken_image_stops_training_by_name(run, market, tmp_path):
    broken = next((market / "bounding_box_train").iterdir())
    broken.write_bytes(broken.read_bytes()[:100])
    for workers in (0, 2):
        settings = [*SMALL[:-1], str(workers)]
        code, _, err = run(
            "train", "paper-c", "--data", f"market1501={market}", "--out", tmp_path / f"{workers}",
            *settings,
        )  # fmt: skip
        assert code == 2
        assert broken.name in err
        assert "Traceback" not in err


def test_ctrl_c_saves_and_resumes(market, tmp_path):
    out = tmp_path / "run"
    command = [
        *(sys.executable, "-m", "apnet", "train", "paper-c", "--data", f"market1501={market}"),
        *("--out", str(out)),
        *(each.replace("epochs=2", "epochs=2000") for each in SMALL),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (out / "history.json").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in err
    assert "Traceback" not in err
    before = len(json.loads((out / "history.json").read_text()))
    again = subprocess.Popen(
        [sys.executable, "-m", "apnet", "train", "--resume", str(out), "--workers", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if len(json.loads((out / "history.json").read_text())) > before:
            break
        time.sleep(0.1)
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=60)
    history = json.loads((out / "history.json").read_text())
    assert [entry["epoch"] for entry in history] == list(range(1, len(history) + 1))
    assert len(history) > before
