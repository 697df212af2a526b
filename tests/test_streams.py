"""Output that cannot be written, encoded or read ends in silence or in one line."""

import os
import signal
import subprocess
import sys
import time

import pytest

from apnet.cli.terminal import one_line

APNET = [sys.executable, "-m", "apnet"]
posix = pytest.mark.skipif(os.name != "posix", reason="redirections of a POSIX shell")


def shell(command: str, **environment: str) -> tuple[int, str, str]:
    """Runs a bash command in which ``apnet`` is this package."""
    script = f'apnet() {{ "{sys.executable}" -m apnet "$@"; }}; {command}'
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        env={**os.environ, **environment},
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def assert_one_line(text: str) -> None:
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    assert "Exception ignored" not in text


@posix
@pytest.mark.parametrize("arguments", ["data list", "presets --json", "--version"])
def test_a_reader_that_leaves_ends_the_command_quietly(arguments):
    # the reader is gone before the first byte
    code, _, err = shell(f"( sleep 0.5; apnet {arguments} ) | true; echo ${{PIPESTATUS[0]}} >&2")
    assert code == 0
    assert err == "141\n"


@posix
@pytest.mark.parametrize("arguments", ["data list", "presets", "--version"])
@pytest.mark.parametrize("target", ["> /dev/full", ">&-"])
def test_output_that_cannot_be_written_is_told(arguments, target):
    code, out, err = shell(f"apnet {arguments} {target}")
    assert (code, out) == (2, "")
    assert_one_line(err)
    assert "error:" in err


@posix
@pytest.mark.parametrize("target", ["2> /dev/full", "2>&-"])
@pytest.mark.parametrize("arguments", ["data check market1501 nowhere", "nonsense"])
def test_errors_that_cannot_be_told_keep_their_code(arguments, target):
    assert shell(f"apnet {arguments} {target}") == (2, "", "")


@posix
@pytest.mark.parametrize(
    "name", ["\\xff", "gr\\xc3\\xbcn", "\\xf0\\x9f\\x99\\x82", "a\\nb", "\\x1b[31m"]
)
@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_names_that_cannot_be_said_are_escaped(name, encoding):
    code, _, err = shell(
        f"apnet data check market1501 \"$(printf '/nowhere/{name}.')\"", PYTHONIOENCODING=encoding
    )
    assert code == 2
    assert_one_line(err)
    assert "/nowhere/" in err
    assert "\x1b" not in err


def test_messages_become_one_short_line():
    assert one_line("a\nb\tc ") == "a\\nb\\tc"
    assert len(one_line("x" * 5000 + ": too long")) < 200
    assert one_line("grün: no such file") == "grün: no such file"


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_command_says_so_and_leaves_nothing(number, tmp_path):
    out = tmp_path / "people"
    process = subprocess.Popen(
        [*APNET, "data", "make", str(out), "--ids", "400", "--images", "20", "--workers", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(out.glob("**/*.jpg")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert not list(tmp_path.glob("**/*.part"))
    assert not list(tmp_path.glob("**/.apnet.lock"))
