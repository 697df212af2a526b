"""The commands of ``apnet data``. Each command imports the heavy packages that it needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from apnet.cli.options import Json, Renderers, Seed, path, refuse
from apnet.cli.terminal import progress_bar, say, say_json, tell

if TYPE_CHECKING:
    from apnet.data.listing import Listing

Source = Annotated[
    str,
    typer.Argument(metavar="DIR", help="A folder in Market-1501 layout, or NAME=DIR."),
]


def make(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(parser=path, help="New or interrupted folder.")],
    named: Annotated[
        str | None,
        typer.Option("--set", metavar="NAME", help="A named set; 'apnet data sets' lists them."),
    ] = None,
    share: Annotated[float, typer.Option(help="Share of the named set's persons.")] = 1.0,
    ids: Annotated[int, typer.Option(min=4, max=9999, help="Number of persons.")] = 200,
    images: Annotated[int, typer.Option(min=4, max=1000, help="Images per person.")] = 16,
    cameras: Annotated[int, typer.Option(min=2, max=99, help="Number of cameras.")] = 6,
    size: Annotated[str, typer.Option(metavar="HxW", help="Image size.")] = "256x128",
    seed: Seed = 0,
    workers: Renderers = 2,
) -> None:
    """Render synthetic persons in Market-1501 layout; the same settings give the same files.

    A named set defines its own persons, cameras, size and seed.
    """
    from apnet.cli.values import image_size
    from apnet.synthetic import make_people, make_set

    unused = ("ids", "images", "cameras", "size", "seed") if named else ("share",)
    refuse(context, unused, f"{'with' if named else 'without'} --set NAME")
    with progress_bar("rendering") as progress:
        if named is not None:
            summary = make_set(out, named, share=share, workers=workers, progress=progress)
        else:
            summary = make_people(
                out,
                ids=ids,
                images_per_id=images,
                seed=seed,
                cameras=cameras,
                size=image_size(size),
                workers=workers,
                progress=progress,
            )
    say(str(summary))


def sets(json: Json = False) -> None:
    """List the synthetic sets that 'data make --set' renders."""
    from dataclasses import asdict

    from apnet.synthetic import PEOPLE_SETS

    if json:
        say_json({name: asdict(found) for name, found in PEOPLE_SETS.items()})
        return
    for name, found in PEOPLE_SETS.items():
        counts, size = found.counts, "x".join(map(str, found.size))
        say(f"{name:16} {counts.ids:5} people {counts.images:7} images  {size:8} {found.about}")


def check(
    name: Annotated[str, typer.Argument(help="Name; 'apnet data list' lists the names.")],
    root: Annotated[Path, typer.Argument(parser=path, help="Its folder.")],
    decode: Annotated[bool, typer.Option(help="Decode every image.")] = True,
    json: Json = False,
) -> None:
    """Count a data set beside its published figures; exit 1 if there are problems."""
    from apnet.data import check_dataset, format_check

    with progress_bar("checking") as progress:
        found = check_dataset(name, root, decode=decode, progress=progress)
    say_json(found.to_dict()) if json else say(format_check(found))
    if found.problems():
        raise typer.Exit(1)


def show(
    source: Source,
    pid: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The person.")],
    out: Annotated[
        Optional[Path],  # noqa: UP045 - typer on Python 3.10
        typer.Option(
            parser=path, metavar="FILE", help="PNG or JPEG to write; person-PID.png by default."
        ),
    ] = None,
) -> None:
    """Draw one person by camera, with the metadata of the person and the images."""
    from apnet.data.show import show_person

    written = out or Path(f"person-{pid:04d}.png")
    show_person(_listing(source), pid, written)
    say(f"picture: {written}")


def sheet(
    source: Source,
    out: Annotated[Path, typer.Option(parser=path, metavar="FILE", help="PNG or JPEG to write.")],
    people: Annotated[int, typer.Option(min=1, max=100, help="Number of persons (rows).")] = 12,
    images: Annotated[int, typer.Option(min=1, max=18, help="Images per person.")] = 8,
) -> None:
    """Draw persons spread over a data set, one row each, twins in adjacent rows."""
    from apnet.data.show import show_people

    show_people(_listing(source), out, people, images)
    say(f"picture: {out}")


def names() -> None:
    """List the names of the data sets that can be loaded."""
    from apnet.data import DATASETS

    for name in DATASETS:
        say(name)
    tell("use them as --data NAME=DIR; docs/datasets.md describes the layouts")


def _listing(source: str) -> Listing:
    """Returns the listing of NAME=DIR, or of DIR in Market-1501 layout."""
    from apnet.data import parse_source
    from apnet.data.registry import read_listing
    from apnet.files import is_there

    if "=" in source and not is_there(Path(source)):
        return read_listing(*parse_source(source))
    return read_listing("market1501", source)
