"""Commands that make a gallery, and move people in and out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from apnet.cli.gallery.options import Network, Place, opened, pairs, told
from apnet.cli.options import Device, Weights, path
from apnet.cli.terminal import progress_bar, say, tell
from apnet.errors import ConfigError

Text = Optional[str]  # noqa: UP045 - typer on Python 3.10


def create(
    place: Place,
    checkpoint: Weights = None,
    features: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--features", metavar="N", help="For features of another toolkit."),
    ] = None,
    flip: Annotated[bool, typer.Option(help="Add the mirror image's feature.")] = True,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="Keep a small picture of each image.")
    ] = False,
    keep: Annotated[
        Text, typer.Option(metavar="PERIOD", help="Delete images after this time, such as 30d.")
    ] = None,
) -> None:
    """Make a new, empty gallery for the shipped network, another one, or other features."""
    from apnet.gallery import Gallery

    gallery = Gallery.create(
        place,
        model=checkpoint,
        feature_dim=features,
        flip=flip,
        thumbnails=thumbnails,
        keep=keep,
        notify=tell,
    )
    with gallery:
        say(f"gallery: {gallery.place}")


def add(
    place: Place,
    source: Annotated[
        Path,
        typer.Argument(
            parser=path,
            metavar="SOURCE",
            help="A folder with a subfolder per person, a .csv, a picture, or a feature file.",
        ),
    ],
    name: Annotated[Text, typer.Option("--name", help="All its images show this identity.")] = None,
    unlabelled: Annotated[
        bool, typer.Option("--unlabelled", help="Take no identities from it; group them later.")
    ] = False,
    camera: Annotated[Text, typer.Option(help="Where they were taken; with --name.")] = None,
    time: Annotated[Text, typer.Option(help="When, as 2026-11-26T08:00:00Z; with --name.")] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option("--metadata", metavar="NAME=VALUE", help="Of the identity; with --name."),
    ] = None,
    checkpoint: Network = None,
    device: Device = "auto",
) -> None:
    """Add people; after an interruption the same command goes on."""
    from apnet.files import is_folder

    if name is not None and unlabelled:
        raise ConfigError("--unlabelled: leave --name out")
    if name is None and (camera is not None or time is not None or metadata):
        raise ConfigError("--camera, --time and --metadata belong to one identity; give --name")
    ending = source.suffix.lower()
    if ending == ".csv" and (name is not None or unlabelled):
        raise ConfigError("--name and --unlabelled: a table says the identities itself")
    with opened(place, checkpoint, device) as gallery, progress_bar("adding") as progress:
        if name is not None:
            known = pairs(metadata, "--metadata")
            result = gallery.add(
                source, name, camera=camera, time=time, metadata=known, progress=progress
            )
        elif ending == ".csv":
            result = gallery.add_table(source, progress=progress)
        elif is_folder(source) and not _is_store(source):
            result = gallery.add_folder(source, named=not unlabelled, progress=progress)
        elif _is_features(source):
            from apnet.retrieval import load_features

            features = load_features(source)
            names = [None] * len(features) if unlabelled else None
            result = gallery.add_features(features, names, progress=progress)
        else:
            result = gallery.add(source, progress=progress)
    say(told(result))


def _is_store(path: Path) -> bool:
    from apnet.retrieval.files.formats import is_store

    return is_store(path)


def _is_features(path: Path) -> bool:
    from apnet.retrieval.files.formats import FORMATS

    return path.suffix.lower() in FORMATS or _is_store(path)


def export(
    place: Place,
    out: Annotated[
        Path,
        typer.Option(
            parser=path, metavar="FILE", help="A .npz of all; with --name a .json of one."
        ),
    ],
    name: Annotated[
        Text, typer.Option("--name", help="Only this identity, with all that is held about it.")
    ] = None,
) -> None:
    """Write all features and identities, or all that is held about one person."""
    with opened(place) as gallery:
        count = gallery.export(out) if name is None else gallery.export_identity(name, out)
        say(f"{out}: {count:,} images")


def import_(
    place: Place,
    source: Annotated[
        Path, typer.Argument(parser=path, metavar="FILE.npz", help="Of 'apnet gallery export'.")
    ],
) -> None:
    """Add what 'apnet gallery export' wrote, from a gallery of the same network."""
    with opened(place) as gallery, progress_bar("adding") as progress:
        say(told(gallery.import_(source, progress=progress)))


def re_embed(
    place: Place,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new gallery; the old one stays.")],
    checkpoint: Weights = None,
    device: Device = "auto",
) -> None:
    """Fill a new gallery from the same images with another network, all or none."""
    from apnet.cli.device import prepared_device
    from apnet.models import load_model

    model = load_model(checkpoint, device=prepared_device(device))
    with opened(place) as gallery, progress_bar("embedding") as progress:
        count = gallery.re_embed(new, model, progress=progress)
        say(f"{new}: {count:,} images")
