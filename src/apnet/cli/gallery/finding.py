"""Commands that ask a gallery, and change nothing but its log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from apnet.cli.gallery.options import Calibrated, Fmr, Name, Network, Place, opened, pairs
from apnet.cli.options import Device, Json, path
from apnet.cli.terminal import progress_bar, say, say_json

if TYPE_CHECKING:
    from apnet.gallery import Match

Texts = Optional[list[str]]  # noqa: UP045 - typer on Python 3.10


def search(
    place: Place,
    picture: Annotated[
        Path,
        typer.Argument(
            parser=path, help="A crop of one person, a folder of crops, or a feature file."
        ),
    ],
    k: Annotated[
        int, typer.Option("--k", min=1, max=1_000_000, help="Identities to show per picture.")
    ] = 5,
    by: Annotated[
        str, typer.Option(help="An identity's similarity: 'best' image, or 'mean' of its images.")
    ] = "best",
    fmr: Fmr = None,
    threshold: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="COSINE", help="A similarity of your own to accept from."),
    ] = None,
    camera: Annotated[Texts, typer.Option(help="Only images of this camera; repeat.")] = None,
    not_camera: Annotated[Texts, typer.Option(help="No images of this camera; repeat.")] = None,
    after: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="TIME", help="Only images since then."),
    ] = None,
    before: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="TIME", help="Only images before then."),
    ] = None,
    metadata: Annotated[
        Texts, typer.Option("--metadata", metavar="NAME=VALUE", help="Only such identities.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Search exactly, also a large gallery.")
    ] = False,
    checkpoint: Network = None,
    calibration: Calibrated = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Say who a picture shows: the identities most like it, and 'unknown' if nobody passes.

    The threshold is chosen for the gallery's size: the more people, the higher.
    """
    from apnet.errors import ConfigError
    from apnet.gallery import Filter
    from apnet.retrieval import load_features
    from apnet.retrieval.files.formats import FORMATS, is_store

    features = picture.suffix.lower() in FORMATS or is_store(picture)
    if features and device != "auto":
        raise ConfigError(f"{picture}: features need no device; leave --device out")
    looked_at = Filter(camera, not_camera or (), after, before, pairs(metadata, "--metadata"))
    with (
        opened(place, checkpoint, device, calibration) as gallery,
        progress_bar("embedding") as progress,
    ):
        answers = gallery.search_many(
            load_features(picture) if features else picture,
            k=k,
            by=by,  # type: ignore[arg-type]  # checked there
            where=looked_at,
            fmr=fmr,
            threshold=threshold,
            exact=exact or None,
            progress=progress,
        )
    if json:
        say_json([each.to_dict() for each in answers])
        return
    for answer in answers:
        say(f"{answer.query}: {answer.decision or 'not decided, there is no threshold'}")
        for match in answer.matches:
            say(_line(match, match in answer.accepted))
    if answers:
        say(f"{answers[0].protocol}\n{answers[0].limits}")


def _line(match: Match, accepted: bool) -> str:
    parts = [f"  {'*' if accepted else ' '} {match.similarity:+.4f}"]
    if match.probability is not None:
        parts.append(f"p {match.probability:.3f}")
    parts.append(match.name)
    if match.camera:
        parts.append(f"camera {match.camera}")
    return "  ".join([*parts, match.time]).rstrip()


def show(place: Place, name: Name, json: Json = False) -> None:
    """Show an identity: its metadata and images, each with its number."""
    import dataclasses

    from apnet.gallery.values import time_text

    with opened(place) as gallery:
        identity = gallery.identity(name)
        images = [
            {
                "image": each.id,
                "camera": each.camera,
                "taken": time_text(each.time),
                "added": time_text(each.added),
                "source": each.source,
            }
            for each in gallery.images(name)
        ]
    if json:
        say_json({**dataclasses.asdict(identity), "images": images})
        return
    say(f"{identity.name}: {identity.images:,} images")
    for key, value in identity.metadata.items():
        say(f"  {key}: {value}")
    for image in images:
        say("  " + "  ".join(f"{key} {value}" for key, value in image.items() if value != ""))


def list_identities(place: Place, json: Json = False) -> None:
    """List the identities with their numbers of images."""
    import dataclasses

    with opened(place) as gallery:
        found = gallery.identities()
    if json:
        say_json([dataclasses.asdict(each) for each in found])
        return
    for each in found:
        cameras = f"  cameras {', '.join(each.cameras)}" if each.cameras else ""
        say(f"{each.name}  {each.images:,} images{cameras}")


def stats(place: Place, json: Json = False) -> None:
    """Show counts, size on the disk, network and period of a gallery."""
    with opened(place) as gallery:
        found = gallery.stats()
    if json:
        say_json(found)
        return
    for key, value in found.items():
        say(f"{key.replace('_', ' '):18} {value:,}" if _is_count(value) else f"{key:18} {value}")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def log(place: Place, json: Json = False) -> None:
    """Show the audit log: when, by whom, what; it holds no names of identities."""
    import dataclasses

    from apnet.gallery.values import time_text

    with opened(place) as gallery:
        lines = gallery.audit()
    if json:
        say_json([{**dataclasses.asdict(each), "time": time_text(each.time)} for each in lines])
        return
    for each in lines:
        say(f"{time_text(each.time)}  {each.user}  {each.action}  {each.count:,}")
