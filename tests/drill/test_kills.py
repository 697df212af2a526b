"""The drill of kills, in short: each command is killed once and ends as if it never was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).parents[2] / "scripts" / "kills"


@pytest.mark.skipif(os.name != "posix", reason="forks and SIGKILL")
@pytest.mark.parametrize("command", ["train", "embed", "make", "reproduce"])
def test_a_kill_loses_nothing(command):
    done = subprocess.run(
        [sys.executable, KILLS, "--kills", "1", "--seed", "3", "--only", command],
        capture_output=True,
        text=True,
    )
    line = done.stdout.splitlines()[-1]
    assert line.startswith(f"| {command} | 1 | "), done.stdout + done.stderr
    assert line.endswith("| 0 | 0 | 0 |")
    assert done.returncode == 0
