"""Files appear together and whole, or not at all."""

import subprocess
import sys

import pytest

from apnet.errors import DataError
from apnet.exporting.staging import staged

KILLED = """
import os, pathlib, sys
from apnet.exporting.staging import staged
with staged(pathlib.Path(sys.argv[1])) as folder:
    (folder / "F.onnx").write_text("half")
    os._exit(9)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_was_made_appears_whole_and_replaces(tmp_path):
    (tmp_path / "F.xml").write_text("before")
    with staged(tmp_path / "F.xml") as folder:
        (folder / "F.xml").write_text("graph")
        (folder / "F.bin").write_text("weights")
        assert names(tmp_path)[1:] == ["F.xml"]
        assert (tmp_path / "F.xml").read_text() == "before"
    assert names(tmp_path) == ["F.bin", "F.xml"]
    assert (tmp_path / "F.xml").read_text() == "graph"


def fail_while_writing(out):
    with staged(out) as folder:
        (folder / out.name).write_text("graph")
        _ = 1 / 0


def test_an_error_leaves_what_was_there(tmp_path):
    (tmp_path / "F.xml").write_text("before")
    with pytest.raises(ZeroDivisionError):
        fail_while_writing(tmp_path / "F.xml")
    assert names(tmp_path) == ["F.xml"]
    assert (tmp_path / "F.xml").read_text() == "before"


def test_what_a_killed_process_left_is_removed_and_a_running_one_s_stays(tmp_path):
    out = tmp_path / "F.onnx"
    ran = subprocess.run([sys.executable, "-c", KILLED, out], check=False)
    assert ran.returncode == 9
    assert len(names(tmp_path)) == 1
    with staged(out) as running:
        (running / "F.onnx").write_text("first")
        with staged(out) as second:
            (second / "F.onnx").write_text("second")
            assert len(names(tmp_path)) == 2
        assert (running / "F.onnx").exists()
    assert names(tmp_path) == ["F.onnx"]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"), staged(tmp_path / "file" / "F.onnx"):
        pass
