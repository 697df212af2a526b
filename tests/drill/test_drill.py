"""A share of the drill: bad inputs end in one clear line, in time, and leave nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from drill_process import Outcome
from drill_verdict import judge, snapshot

DRILL = Path(__file__).parents[2] / "scripts" / "drill"


@pytest.mark.skipif(os.name != "posix", reason="forks, and special files of POSIX")
def test_a_share_of_the_drill():
    done = subprocess.run(
        [sys.executable, DRILL, "--rounds", "1", "--share", "0.06", "--seed", "1", "--json"],
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["counts"]["all"]["inputs"] > 100
    assert done.returncode == 0


ENDINGS = {
    "one clear line": (2, "error: a.csv: no table; write one\n", ""),
    "a traceback": (1, "Traceback (most recent call last):\nValueError: x\n", "traceback"),
    "a signal": (-11, "", "traceback"),
    "out of time": (None, "", "hang"),
    "as if all were right": (0, "", "silence"),
    "several lines": (2, "error: a.csv: no table\nwrite one\n", "message"),
    "usage": (2, "Usage: apnet [OPTIONS]\nError: No such option: --x\n", "message"),
    "a long line": (2, f"error: a.csv: {'x' * 300}; write one\n", "message"),
    "no remedy": (2, "error: a.csv: no table\n", "message"),
    "another name": (2, "error: b.csv: no table; write one\n", "message"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_drill_sees_what_is_wrong(ending, tmp_path):
    code, text, kind = ENDINGS[ending]
    verdict = judge(Outcome(code, "", text, 1), ("a.csv",), tmp_path, {}, may_pass=False)
    assert verdict.kind == kind


def test_the_drill_sees_what_a_failed_command_leaves(tmp_path):
    (tmp_path / "kept").write_text("x")
    before = snapshot(tmp_path)
    (tmp_path / "new.part").write_text("x")
    error = Outcome(2, "", "error: a.csv: no table; write one\n", 1)
    assert judge(error, ("a.csv",), tmp_path, before, may_pass=False).kind == "litter"
    assert judge(Outcome(0, "", "", 1), (), tmp_path, before, may_pass=True).kind == "litter"
    (tmp_path / "new.part").unlink()
    assert judge(error, ("a.csv",), tmp_path, before, may_pass=False).kind == ""
    (tmp_path / "kept").write_text("other")
    assert judge(error, ("a.csv",), tmp_path, before, may_pass=False).kind == "litter"
