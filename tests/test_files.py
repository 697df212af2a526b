import contextlib
import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from apnet.errors import DataError
from apnet.files import atomic_write, file_lock, write_json, write_text


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with contextlib.suppress(RuntimeError), atomic_write(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_is_an_error_for_people(tmp_path):
    with (
        pytest.raises(DataError, match=r"a\.txt: cannot be written.*free some space"),
        atomic_write(tmp_path / "a.txt"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way_of_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_text(tmp_path / "file" / "a.txt", "x")


def test_json_holds_no_nan(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_folder_is_locked_by_one_process_and_left_as_it_was(tmp_path):
    with (
        file_lock(tmp_path),
        pytest.raises(DataError, match="another process"),
        file_lock(tmp_path),
    ):
        pass
    assert not list(tmp_path.iterdir())
    with file_lock(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="processes are not forked")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_does_not_keep_the_lock(tmp_path):
    context = multiprocessing.get_context("fork")
    wish = context.Event()
    with file_lock(tmp_path):
        child = context.Process(target=wish.wait)
        child.start()
    try:
        _lock_soon(tmp_path)
    finally:
        wish.set()
        child.join()


HOLDER = """
import os, sys, time
from pathlib import Path
from apnet.files import file_lock
with file_lock(Path(sys.argv[1])):
    child = os.fork()
    if child:
        print(child, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="processes are not forked")
def test_a_killed_process_leaves_no_lock_even_if_its_child_lives(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        child = int(holder.stdout.readline())
        try:
            with pytest.raises(DataError, match="another process"), file_lock(tmp_path):
                pass
            holder.kill()
            holder.wait()
            _lock_soon(tmp_path)
            os.kill(child, 0)  # it is still there
        finally:
            holder.kill()
            os.kill(child, signal.SIGKILL)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="flock")
@pytest.mark.parametrize("reason", [errno.ENOLCK, errno.ENOTSUP, errno.EIO])
def test_a_file_system_without_locks(tmp_path, monkeypatch, reason):
    def flock(*_arguments):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr("fcntl.flock", flock)
    with file_lock(tmp_path):
        write_text(tmp_path / "a.txt", "written")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_lock_file_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"), file_lock(tmp_path / "file"):
        pass


def _lock_soon(folder):
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(DataError), file_lock(folder):
            return
        assert time.monotonic() < deadline
