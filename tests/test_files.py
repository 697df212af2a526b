import contextlib
import errno
import multiprocessing
import os
import time

import pytest

from apnet.errors import DataError
from apnet.files import holding, replacing, write_json, write_text


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with contextlib.suppress(RuntimeError), replacing(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_is_an_error_for_people(tmp_path):
    with (
        pytest.raises(DataError, match=r"a\.txt: cannot be written.*free some space"),
        replacing(tmp_path / "a.txt"),
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


@pytest.mark.skipif(os.name != "posix", reason="folders are not locked")
def test_a_folder_is_held_by_one_process(tmp_path):
    with holding(tmp_path), pytest.raises(DataError, match="another process"), holding(tmp_path):
        pass
    with holding(tmp_path):
        pass


@pytest.mark.skipif(os.name != "posix", reason="processes are not forked")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_does_not_keep_the_folder(tmp_path):
    context = multiprocessing.get_context("fork")
    wish = context.Event()
    with holding(tmp_path):
        child = context.Process(target=wish.wait)
        child.start()
    try:
        _hold_soon(tmp_path)
    finally:
        wish.set()
        child.join()


def _hold_soon(folder):
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(DataError), holding(folder):
            return
        assert time.monotonic() < deadline
