"""The README's section "Recognise people again" runs as it stands there."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def script():
    section = README.read_text(encoding="utf-8").split("## Recognise people again")[1]
    return re.search(r"```bash\n(.*?)```", section, re.DOTALL)[1]


def test_the_section_runs(tmp_path):
    program = f'apnet() {{ {shlex.quote(sys.executable)} -m apnet "$@"; }}\n'
    result = subprocess.run(
        ["bash", "-euc", program + script()],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    out = result.stdout
    who, stranger = [line for line in out.splitlines() if re.match(r"town/\S+: ", line)][:2]
    assert who.endswith(": 25")
    assert stranger.endswith(": unknown")
    assert "two people" in out
    assert "exit code 1" in out
    assert "Not calibrated on your cameras" in out
    assert out.rstrip().endswith("sound")
    assert b"town/query/0025" not in (tmp_path / "people.gallery").read_bytes()
