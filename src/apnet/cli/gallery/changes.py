"""Commands that rename, join and delete people, and take care of the gallery."""

from __future__ import annotations

from typing import Annotated

import typer

from apnet.cli.gallery.options import Name, Place, Yes, confirmed, opened
from apnet.cli.terminal import progress_bar, say


def rename(
    place: Place, name: Name, new: Annotated[str, typer.Argument(metavar="NEW_NAME")]
) -> None:
    """Give an identity another name."""
    with opened(place) as gallery:
        gallery.rename(name, new)
    say(f"{name} is {new} now")


def merge(
    place: Place,
    name: Name,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The identity that stays.")],
    yes: Yes = False,
) -> None:
    """Move all images of an identity to another one, and delete it."""
    with opened(place) as gallery:
        gallery.identity(into)
        confirmed(yes, f"Join '{name}' into '{into}'?")
        count = gallery.merge(name, into)
    say(f"{count:,} images moved to {into}")


def remove(
    place: Place,
    images: Annotated[
        list[int], typer.Argument(metavar="IMAGE...", help="Numbers that 'show' prints.", min=1)
    ],
    yes: Yes = False,
) -> None:
    """Delete single images."""
    with opened(place) as gallery:
        confirmed(yes, f"Delete {len(images):,} images?")
        say(f"{gallery.remove(images):,} images deleted")


def erase(place: Place, name: Name, yes: Yes = False) -> None:
    """Delete a person and every byte that is held about them, in every file."""
    with opened(place) as gallery:
        count = gallery.identity(name).images
        confirmed(yes, f"Erase this identity with {count:,} images, for good?")
        say(f"erased, with {gallery.erase(name):,} images")


def expire(place: Place) -> None:
    """Delete images that are older than the gallery keeps; every opening does so too."""
    with opened(place) as gallery:
        say(f"{gallery.expire():,} images deleted")


def verify(place: Place) -> None:
    """Check files, rows and features; exits with 1 if something is wrong."""
    with opened(place) as gallery, progress_bar("checking") as progress:
        found = gallery.verify(progress)
    for line in found:
        say(line)
    if found:
        raise typer.Exit(1)
    say("sound")


def compact(place: Place) -> None:
    """Overwrite what was deleted, and build the index of a large gallery."""
    with opened(place) as gallery:
        recall = gallery.compact()
    say("compact" if recall is None else f"compact; index built, recall at 10 {recall:.3f}")
