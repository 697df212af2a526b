"""``apnet search``: who in a folder or store looks like this picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from apnet.cli.options import Architecture, Decoders, Device, Json, Weights, named_model, path
from apnet.cli.terminal import progress_bar, say, say_json, tell
from apnet.errors import ConfigError


def search(
    picture: Annotated[
        Path, typer.Argument(parser=path, help="A crop of one person, or a folder of crops.")
    ],
    gallery: Annotated[
        Path,
        typer.Option(
            "--in",
            parser=path,
            metavar="STORE_OR_FOLDER",
            help="A store of 'apnet embed', or images.",
        ),
    ],
    k: Annotated[
        int, typer.Option("--k", min=1, max=1_000_000, help="Images to show per picture.")
    ] = 10,
    out: Annotated[
        Optional[Path],  # noqa: UP045 - typer on Python 3.10
        typer.Option(parser=path, metavar="FILE.png", help="Draw the picture and what was found."),
    ] = None,
    checkpoint: Weights = None,
    architecture: Architecture = None,
    device: Device = "auto",
    workers: Decoders = 2,
    json: Json = False,
) -> None:
    """Find the images in a store or folder that look most like a person.

    The nearest image is found even where the person is not there: a similarity is no
    identification.
    """
    from apnet.cli.device import prepared_device
    from apnet.models import load_model
    from apnet.rank_lists import plot_ranks
    from apnet.rank_lists import search as find

    if out is not None and out.suffix.lower() != ".png":
        raise ConfigError(f"--out {out}: name a file that ends in .png")
    model = load_model(named_model(checkpoint, architecture), device=prepared_device(device))
    with progress_bar("embedding") as progress:
        found = find(model, picture, gallery, k=k, workers=workers, progress=progress, notify=tell)
    if out is not None:
        plot_ranks(found, queries=max(len(found), 1), out=out)
        tell(f"picture: {out}")
    if json:
        say_json(found.to_dict())
        return
    for query, hits in enumerate(found):
        if len(found) > 1:
            say(f"{found.query.paths[query]}")
        for hit in hits:
            person = f"  id {hit.pid}" if hit.pid >= 0 else ""
            camera = f"  camera {hit.camid}" if hit.camid >= 0 else ""
            say(f"{hit.rank:4}  {hit.similarity:+.4f}  {hit.path}{person}{camera}")
