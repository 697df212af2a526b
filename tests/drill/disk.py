"""A disk that fails: a layer under the package's writes in a program of its own.

Each step that changes a disk below the current folder is counted: creating a file, writing to it,
``fsync``, renaming, making a folder. One of them fails, or is the last act before a kill.
"""

from __future__ import annotations

import errno
import io
import mmap
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

FAULTS = ("full", "half", "fault", "kill")
"""What becomes of the step: ENOSPC, ENOSPC after half of the bytes, EIO, done and then SIGKILL."""

_CODES = {"full": errno.ENOSPC, "half": errno.ENOSPC, "fault": errno.EIO}


class Disk:
    """Counts steps; the one with a number has a fault.

    Args:
        number: of the step with the fault, from 0; -1 for none.
        fault: one of ``FAULTS``.
    """

    def __init__(self, number: int = -1, fault: str = "full") -> None:
        self._number, self._fault = number, fault
        self._shared = mmap.mmap(-1, 8)  # a fork counts, its parent reads

    @property
    def steps(self) -> int:
        """How many there were."""
        return int.from_bytes(self._shared[:8], "little")

    def install(self) -> None:
        """Puts the layer under everything that this process writes from now on."""
        self._root = str(Path.cwd())
        disk = self

        class File(io.FileIO):
            def write(self, data: Any) -> int:
                whole = memoryview(data).cast("B")
                if not disk._holds(self.name):
                    return super().write(whole)
                return int(disk._step(lambda part: _written(super(File, self), whole, part)))

        real_open, real_os_open = io.open, os.open

        def opened(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **more: Any) -> Any:
            if isinstance(file, int) or not set(mode) & set("wax+") or not disk._holds(file):
                return real_open(file, mode, buffering, *rest, **more)
            plain = "".join(each for each in mode if each not in "bt")
            raw = disk._step(lambda part: None if part else File(file, plain))
            if buffering == 0:
                return raw
            whole = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return whole if "b" in mode else io.TextIOWrapper(whole, *rest, **more)

        def os_opened(path: Any, flags: int, *rest: Any, **more: Any) -> int:
            if not flags & os.O_CREAT or not disk._holds(path):
                return real_os_open(path, flags, *rest, **more)
            return disk._step(lambda part: -1 if part else real_os_open(path, flags, *rest, **more))

        io.open, os.open = opened, os_opened  # type: ignore[assignment]
        for name in ("replace", "rename", "mkdir"):
            setattr(os, name, self._wrapped(getattr(os, name)))
        os.fsync = self._wrapped(os.fsync)
        self._under_safetensors()

    def _under_safetensors(self) -> None:
        import apnet.checkpoints as room

        save = room.save_file

        def saved(tensors: Any, path: Path, **more: Any) -> None:
            def whole(part: bool) -> None:
                save(tensors, path, **more)
                if part:
                    os.truncate(path, path.stat().st_size // 2)

            self._step(whole)

        room.save_file = saved  # type: ignore[assignment]

    def _holds(self, path: Any) -> bool:
        return not isinstance(path, int) and str(Path(path).absolute()).startswith(self._root)

    def _wrapped(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(target: Any, *rest: Any, **more: Any) -> Any:
            if not isinstance(target, int) and not self._holds(target):
                return act(target, *rest, **more)
            return self._step(lambda part: None if part else act(target, *rest, **more))

        return stepped

    def _step(self, act: Callable[[bool], Any]) -> Any:
        """Carries out a step, or what becomes of it; ``act`` is told to do but half."""
        number = self.steps
        self._shared[:8] = (number + 1).to_bytes(8, "little")
        if number != self._number:
            return act(False)
        if self._fault == "half":
            act(True)
        if self._fault == "kill":
            act(False)
            os.kill(os.getpid(), signal.SIGKILL)
        code = _CODES[self._fault]
        raise OSError(code, os.strerror(code))


def _written(file: Any, whole: memoryview, part: bool) -> int:
    return int(file.write(whole[: len(whole) // 2] if part else whole))
