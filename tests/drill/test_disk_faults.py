"""The drill of disk faults, in short: some steps of each command fail, or are its last."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = Path(__file__).parents[2] / "scripts" / "disk-faults"


@pytest.mark.skipif(os.name != "posix", reason="forks and SIGKILL")
@pytest.mark.parametrize("command", ["train", "embed", "make", "reproduce"])
def test_a_fault_of_the_disk_loses_nothing(command):
    done = subprocess.run(
        [sys.executable, FAULTS, "--sample", "3", "--seed", "5", "--only", command],
        capture_output=True,
        text=True,
    )
    line = done.stdout.splitlines()[-1]
    assert line.startswith(f"| {command} | "), done.stdout + done.stderr
    assert line.endswith("| 3 | 0 | 0 | 0 | 0 | 0 |"), done.stdout + done.stderr
    assert done.returncode == 0
