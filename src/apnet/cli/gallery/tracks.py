"""Commands that find out which images show one person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from apnet.cli.gallery.options import Calibrated, Fmr, Network, Place, opened
from apnet.cli.options import Device, Json, path
from apnet.cli.terminal import progress_bar, say, say_json
from apnet.errors import ConfigError

Cosine = Optional[float]  # noqa: UP045 - typer on Python 3.10


def group(
    place: Place,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(parser=path, metavar="FILE.csv", help="Write a proposal, to be reviewed."),
    ] = None,
    apply: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(parser=path, metavar="FILE.csv", help="Apply a reviewed proposal."),
    ] = None,
    threshold: Annotated[
        Cosine, typer.Option(metavar="COSINE", help="Join groups from this mean similarity on.")
    ] = None,
    fmr: Fmr = None,
    checkpoint: Network = None,
    calibration: Calibrated = None,
) -> None:
    """Group the images without identity into persons: propose, review, apply."""
    from apnet.gallery import write_proposal

    if (out is None) == (apply is None):
        raise ConfigError("give --out FILE.csv to propose, or --apply FILE.csv after the review")
    if apply is not None:
        if not (threshold is None and fmr is None):
            raise ConfigError("--threshold and --fmr belong to --out; leave them out")
        with opened(place) as gallery:
            say(f"{gallery.apply_groups(apply):,} images have an identity now")
        return
    if threshold is not None and fmr is not None:
        raise ConfigError("give --fmr or --threshold, not both")
    assert out is not None
    with opened(place, checkpoint, calibration=calibration) as gallery:
        groups = gallery.group(threshold, **({} if fmr is None else {"fmr": fmr}))
    write_proposal(groups, out)
    known = sum(each.known for each in groups)
    images = sum(len(each.images) for each in groups)
    say(f"{out}: {images:,} images in {len(groups):,} groups, {known:,} of them known persons")
    say("Review the column 'name' (empty: leave it), then give the file to --apply.")


def assign(
    place: Place,
    crops: Annotated[
        Path,
        typer.Argument(
            parser=path, metavar="CROPS.csv", help="With path, camera, tracklet[, time, identity]."
        ),
    ],
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(parser=path, metavar="FILE.csv", help="Where to write identities per crop."),
    ] = None,
    known: Annotated[
        Cosine, typer.Option(metavar="COSINE", help="From here on it is the closest identity.")
    ] = None,
    new: Annotated[
        Cosine, typer.Option(metavar="COSINE", help="Below it is a new person; else unsure.")
    ] = None,
    fmr: Fmr = None,
    checkpoint: Network = None,
    calibration: Calibrated = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Give tracklets of several cameras global identities; the gallery grows by them."""
    from collections import Counter

    from apnet.files import check_writable
    from apnet.gallery import score_assignments, write_assignments

    if out is not None:
        check_writable(out)
    with (
        opened(place, checkpoint, device, calibration) as gallery,
        progress_bar("tracklets") as progress,
    ):
        found = gallery.assign(crops, known=known, new=new, fmr=fmr, progress=progress)
    scores = score_assignments(found)
    if out is not None:
        write_assignments(found, out)
    if json:
        say_json(
            {
                "tracklets": [
                    {
                        "camera": each.tracklet.camera,
                        "tracklet": each.tracklet.name,
                        "decision": each.decision,
                        "identity": each.identity,
                        "similarity": each.similarity,
                    }
                    for each in found
                ],
                "scores": scores,
            }
        )
        return
    counts = Counter(each.decision for each in found)
    say(", ".join(f"{counts[each]:,} {each}" for each in ("known", "new", "unsure")))
    for name, value in (scores or {}).items():
        say(f"{name.replace('_', ' ')}: {value:.3f}")
    if out is not None:
        say(f"identities: {out}")
