"""Runs the command line on one input in a process of its own, a fork that has imported all.

A fork shows what a user would meet: exit codes, signals, hangs, what lies around afterwards.
"""

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from apnet.cli import main


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        code: its exit code; negative for a signal; ``None`` where its time ran out.
        out: standard output.
        err: standard error.
        seconds: how long it took.
    """

    code: int | None
    out: str
    err: str
    seconds: float


class Started:
    """A command that runs in a folder; its output goes to files beside the folder.

    Args:
        arguments: of the command.
        folder: in which it runs.
        limit: seconds after which it is killed.
        prepare: called in its process before it begins.
    """

    def __init__(
        self,
        arguments: list[str],
        folder: Path,
        limit: float,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self._limit, self._begun = limit, time.monotonic()
        self._outputs = [folder.with_suffix(f".{name}") for name in ("out", "err")]
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            _carry_out(arguments, folder, self._outputs, prepare)

    def kill(self) -> None:
        """Kills it as the system does."""
        with contextlib.suppress(ProcessLookupError):  # it has no group of its own yet
            os.killpg(self._pid, signal.SIGKILL)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        for path in self._outputs:
            path.unlink(missing_ok=True)

    def end(self) -> Outcome:
        """Waits until it ends; returns how it did."""
        while (outcome := self.outcome()) is None:
            time.sleep(0.002)
        return outcome

    def outcome(self) -> Outcome | None:
        """Returns how it ended, ``None`` while it runs; one that is out of time is killed."""
        done, status = os.waitpid(self._pid, os.WNOHANG)
        seconds = time.monotonic() - self._begun
        if not done and seconds < self._limit:
            return None
        code: int | None = None
        if done:
            code = os.waitstatus_to_exitcode(status)
        else:
            os.killpg(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in self._outputs]
        for path in self._outputs:
            path.unlink()
        return Outcome(code, texts[0], texts[1], seconds)


def _carry_out(
    arguments: list[str], folder: Path, outputs: list[Path], prepare: Callable[[], None] | None
) -> None:
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, path in enumerate(outputs, start=1):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        for name, number in (("stdout", 1), ("stderr", 2)):
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", closefd=False))
        sys.argv = ["apnet", *arguments]
        if prepare:
            prepare()
        try:
            main()
            code = 0
        except SystemExit as stopped:
            code = stopped.code if isinstance(stopped.code, int) else int(bool(stopped.code))
        except BaseException:  # what the interpreter would print
            traceback.print_exc()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(code)
