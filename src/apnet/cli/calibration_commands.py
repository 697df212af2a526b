"""``apnet calibrate`` and ``apnet compare``: error rates of a network, and decisions on pairs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from apnet.cli.options import Architecture, Decoders, Device, Json, Weights, named_model, path
from apnet.cli.terminal import progress_bar, say, say_json, tell

if TYPE_CHECKING:
    from apnet.calibration import Calibration, Comparison


def calibrate(
    data: Annotated[
        list[str],
        typer.Option("--data", metavar="NAME=DIR", help="People it has not seen; repeat."),
    ],
    network: Annotated[
        Optional[Path],  # noqa: UP045 - typer on Python 3.10
        typer.Argument(
            parser=path, metavar="[CHECKPOINT]", help="A run or checkpoint; else the shipped one."
        ),
    ] = None,
    architecture: Architecture = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(parser=path, metavar="FILE", help="Else beside the checkpoint."),
    ] = None,
    report: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(parser=path, metavar="FILE.html", help="Write a page with plots as well."),
    ] = None,
    device: Device = "auto",
    workers: Decoders = 2,
    json: Json = False,
) -> None:
    """Measure a network's error rates: FMR and FNMR across cameras, FPIR and FNIR of galleries.

    Query and gallery images of the data sets are used. 'apnet compare' and 'apnet gallery search'
    find the table by themselves where it is beside the network.
    """
    from apnet.calibration import calibrate as measure
    from apnet.calibration import calibration_path, save_calibration
    from apnet.cli.device import prepared_device
    from apnet.data import load_source
    from apnet.errors import ConfigError
    from apnet.files import check_writable
    from apnet.models import as_model

    if network is None and out is None:
        raise ConfigError("the shipped network has its own calibration; name a file with --out")
    if report is not None and report.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--report {report}: name a file that ends in .html")
    model = as_model(named_model(network, architecture))
    place = out if out is not None else calibration_path(network or model.path)
    for file in filter(None, (place, report)):
        check_writable(file)
    sets = [load_source(each) for each in data]
    with progress_bar("calibrating") as progress:
        found = measure(
            model,
            sets,
            device=prepared_device(device),
            workers=workers,
            progress=progress,
            notify=tell,
        )
    save_calibration(found, place)
    tell(f"calibration: {place}")
    if report is not None:
        from apnet.calibration.page import write_page

        write_page(found, report)
        tell(f"page: {report}")
    if json:
        say_json(_summary(found))
        return
    _say_table(found)


def _summary(found: Calibration) -> dict[str, object]:
    """Returns the thresholds that the people suffice for; the rest as refused."""
    import dataclasses

    from apnet.calibration.claims import claims

    rows: list[dict[str, object]] = []
    for claim, chosen in claims(found):
        if isinstance(chosen, str):
            rows.append({"claim": claim, "refused": chosen})
        else:
            rows.append({"claim": claim, "threshold": chosen.value, **dataclasses.asdict(chosen)})
    return {
        "network": found.fingerprint,
        "people": found.people,
        "images": found.content.images,
        "cameras": found.content.cameras,
        "eer": found.content.eer,
        "thresholds": rows,
        "limits": found.limits,
    }


def _say_table(found: Calibration) -> None:
    from apnet.calibration.claims import claims

    content = found.content
    say(f"{content.people:,} people, {content.images:,} images, {content.cameras} cameras")
    say(f"EER {content.eer:.3f}, across cameras")
    for claim, chosen in claims(found):
        if isinstance(chosen, str):
            say(f"{claim}: {chosen}")
        else:
            misses = chosen.fnmr if chosen.people == 1 else chosen.fnir
            beyond = ", extrapolated" if chosen.extrapolated else ""
            say(f"{claim}: threshold {chosen.value:.3f}, misses {misses}{beyond}")
    say(found.limits)


def compare(
    first: Annotated[
        Path, typer.Argument(parser=path, metavar="A", help="A crop, or a folder of one person.")
    ],
    second: Annotated[
        Path, typer.Argument(parser=path, metavar="B", help="Another crop or folder.")
    ],
    fmr: Annotated[
        float, typer.Option(metavar="RATE", help="False match rate of the threshold.")
    ] = 1e-3,
    prior: Annotated[
        float, typer.Option(help="Probability of 'same person' before the comparison.")
    ] = 0.5,
    checkpoint: Weights = None,
    architecture: Architecture = None,
    calibration: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--calibration", parser=path, metavar="FILE", help="Else that of the network."
        ),
    ] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Decide whether two pictures show the same person.

    Exit code: 0 the same person, 1 two people, 2 an error.
    """
    from apnet.calibration import compare as decide
    from apnet.cli.device import prepared_device

    result = decide(
        first,
        second,
        model=named_model(checkpoint, architecture),
        calibration=calibration,
        fmr=fmr,
        prior=prior,
        device=prepared_device(device),
    )
    if json:
        say_json(result.to_dict())
    else:
        _say_comparison(result)
    raise typer.Exit(0 if result.same else 1)


def _say_comparison(result: Comparison) -> None:
    say("the same person" if result.same else "two people")
    say(f"similarity {result.similarity:+.4f}, threshold {result.threshold.value:+.4f}")
    say(
        f"probability {result.probability:.3f} at a prior of {result.prior:g}, likelihood ratio "
        f"{result.likelihood_ratio:.3g}"
    )
    say(f"{result.protocol}\n{result.limits}")
