"""``apnet serve`` and its keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from apnet.cli.gallery.options import Calibrated, Network, Place, opened
from apnet.cli.options import Device, path
from apnet.cli.terminal import say, tell


def serve(
    place: Place,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 for a free one.")] = 8000,
    keys: Annotated[
        Optional[Path],  # noqa: UP045 - typer on Python 3.10
        typer.Option(parser=path, metavar="FILE", help="Keys of 'apnet serve-key'."),
    ] = None,
    checkpoint: Network = None,
    calibration: Calibrated = None,
    device: Device = "auto",
) -> None:
    """Serve a gallery over HTTP: embed, compare, search, enrol, erase.

    Keys are needed unless it listens on loopback only. It writes a line of JSON per answer to
    standard error, and stops after the requests that have begun.
    """
    from apnet.extras import require
    from apnet.service import Limits, checked_keys
    from apnet.service import serve as run

    for module in ("fastapi", "uvicorn", "prometheus_client", "python_multipart"):
        require(module, "serve")
    known = checked_keys(host, keys)
    with opened(place, checkpoint, device, calibration) as gallery:
        run(gallery, host, port, keys=known, limits=Limits(), notify=tell)


def serve_key(
    file: Annotated[Path, typer.Argument(parser=path, help="Made where it is missing.")],
    name: Annotated[str, typer.Argument(help="Of the key, for logs.")],
    role: Annotated[
        str, typer.Option(help="'read'; 'enrol': also enrol, rename, merge; 'erase': everything.")
    ] = "read",
) -> None:
    """Make a key for 'apnet serve'; it is printed once, and kept as a digest only."""
    from apnet.service import add_key

    say(add_key(file, name, role))  # type: ignore[arg-type]  # checked there
    tell("Keep it: it cannot be shown again.")
