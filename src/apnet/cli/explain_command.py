"""``apnet explain``: where a network looks, and why two images match."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from apnet.cli.commands import Device
from apnet.cli.terminal import say


def explain(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Crops of people.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the pictures.")],
    checkpoint: Annotated[
        Optional[Path],  # noqa: UP045 - typer on Python 3.10
        typer.Option(metavar="RUN_OR_FILE", help="Network to explain; the shipped one by default."),
    ] = None,
    device: Device = "auto",
) -> None:
    """Draw where a network looks after every pyramid level; of two images also why they match.

    Writes NAME.explained.png for each image and, of exactly two, pair.png.
    """
    from apnet.checkpoints import load_checkpoint
    from apnet.devices import choose_device
    from apnet.explanation import explain_files
    from apnet.shipped import default_checkpoint

    chosen = choose_device(device)
    loaded = default_checkpoint() if checkpoint is None else load_checkpoint(checkpoint)
    explained = explain_files(loaded.network.to(chosen), loaded.config.image_size, images, out)
    for path in (*explained.pictures, *([explained.pair] if explained.pair else [])):
        say(str(path))
    if explained.match is not None:
        say(f"cosine similarity {explained.match.similarity:+.4f}, without mirror images")
