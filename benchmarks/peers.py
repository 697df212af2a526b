"""An environment with torchreid 0.2.5 in it, made once, and questions to it.

Its package names none of what it imports, so that is installed beside it; numpy, torch and
torchvision are lent from the environment that runs the benchmark, so that both sides compute with
the same libraries. Its package on the registry lies under ``torchreid.reid``, and its compiled
ranking is not part of it: the Python one is used. Models are made without weights, as it would
download them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import Row, row

PEER = "torchreid==0.2.5"
NEEDS = ("opencv-python-headless", "scipy", "gdown", "Cython", "h5py", "six", "tensorboard")
FOLDER = Path.home() / ".cache" / "apnet-benchmarks" / "torchreid"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class PeerError(Exception):
    """The peer cannot be installed, or fails at what it is asked; says why."""


def add_option(parser: argparse.ArgumentParser) -> None:
    """Adds ``--peers``: None where it is not given, else the environment's folder."""
    parser.add_argument(
        "--peers",
        nargs="?",
        type=Path,
        const=FOLDER,
        metavar="FOLDER",
        help="compare with torchreid; FOLDER keeps its environment (default: %(const)s)",
    )


def torchreid_python(folder: Path) -> Path:
    """Returns the interpreter of the environment, which is made where it is not there yet.

    Raises:
        PeerError: it cannot be made.
    """
    python, whole = folder.absolute() / "bin" / "python", folder / "whole"
    if whole.exists():
        return python
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        raise PeerError(f"{folder} holds something else; name another folder")
    try:
        venv.create(folder, with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise PeerError(f"no environment in {folder}: {error}") from error
    own = _run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    Path(own.strip(), "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for arguments in (["--no-deps", PEER], NEEDS):
        _run([str(python), "-m", "pip", "install", "-q", *arguments])
    whole.touch()
    return python


def ask(folder: Path, code: str, question: Any) -> Any:
    """Runs code there with one thread; it reads JSON and prints JSON, on its last line.

    Raises:
        PeerError: it failed.
    """
    command = [str(torchreid_python(folder)), "-W", "ignore", "-c", code]
    return json.loads(_run(command, json.dumps(question)).splitlines()[-1])


def peer_row(name: str, measure: Callable[[], float], **goal: float) -> Row:
    """Returns a row of ``measure()``; where the peer fails, one that says so."""
    try:
        return row(name, measure(), **goal)
    except PeerError as error:
        return {"name": f"{name}: {error}", "goal": None, "measured": None, "met": None}


def _run(command: list[str], question: str = "") -> str:
    done = subprocess.run(
        command,
        input=question,
        capture_output=True,
        text=True,
        env={**os.environ, **ONE_THREAD},
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise PeerError(last)
    return done.stdout
