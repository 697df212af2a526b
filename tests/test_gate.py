"""The gate for paths: what the system refuses is told, and only files and folders pass."""

import errno
import os
import socket
from pathlib import Path

import pytest

from apnet.arguments import as_path
from apnet.errors import ApnetError, DataError
from apnet.files import check_path, entries, is_file, is_folder, is_there, read_bytes, read_text

posix = pytest.mark.skipif(os.name != "posix", reason="special files of POSIX")


def special(kind: str, folder: Path) -> Path:
    """Returns a path of a kind that no command can use."""
    path = folder / "special"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(os.fspath(path))
    elif kind == "circle":
        path.symlink_to(path)
    elif kind == "two in a circle":
        path.symlink_to(folder / "other")
        (folder / "other").symlink_to(path)
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    else:
        path = {"device": Path("/dev/zero"), "long": folder / ("x" * 5000)}[kind]
    return path


KINDS = {
    "pipe": "a pipe",
    "socket": "a socket",
    "device": "a device",
    "link to a device": "a device",
    "circle": "circle",
    "two in a circle": "circle",
    "long": "too long",
}


@posix
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", [check_path, is_file, is_folder, is_there, read_text, as_path])
def test_special_paths_are_refused_and_never_opened(kind, call, tmp_path, monkeypatch):
    path = special(kind, tmp_path)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("opened"))
    with pytest.raises(DataError, match=KINDS[kind]):
        call(path, "path") if call is as_path else call(path)


def test_a_nul_character_is_no_path():
    with pytest.raises(DataError, match="null"):
        as_path("a\0b", "path")


def test_an_unknown_user_s_home_is_told():
    with pytest.raises(ApnetError, match="nobody-of-this-name"):
        as_path("~nobody-of-this-name/x", "path")


def test_files_and_folders_are_told_apart(tmp_path):
    (tmp_path / "file").write_text("x")
    assert is_file(tmp_path / "file")
    assert not is_folder(tmp_path / "file")
    assert is_folder(tmp_path)
    assert not is_there(tmp_path / "none")
    assert not is_there(tmp_path / "file" / "below")
    assert [entry.name for entry in entries(tmp_path)] == ["file"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EACCES, "permissions"),
        (errno.EIO, "fault"),
        (errno.EMFILE, "ulimit"),
        (errno.EPROTO, r"Protocol error|EPROTO"),
    ],
)
@pytest.mark.parametrize("call", [is_file, read_text])
def test_what_the_system_refuses_is_told(code, words, call, tmp_path, monkeypatch):
    def refuse(self, **_):
        raise OSError(code, os.strerror(code), str(self))

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(DataError, match=words) as caught:
        call(tmp_path / "a.txt")
    assert str(caught.value).startswith(str(tmp_path / "a.txt"))
    assert "\n" not in str(caught.value)


def test_folders_that_cannot_be_listed(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="is a file, not a folder"):
        entries(tmp_path / "file")
    with pytest.raises(DataError, match="no such"):
        entries(tmp_path / "none")


def test_texts(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffgrün\r\n".encode())
    assert read_text(path) == "grün\r\n"
    path.write_bytes("grün".encode("latin-1"))
    with pytest.raises(DataError, match="byte 2 is no UTF-8 text; save the file as UTF-8"):
        read_text(path)
    with pytest.raises(DataError, match="larger than 3 bytes"):
        read_bytes(path, 3)
    with pytest.raises(DataError, match="folder"):
        read_text(tmp_path)
