"""Arguments and options that the commands of the gallery share, and how they open one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from apnet.cli.options import path
from apnet.cli.terminal import tell
from apnet.errors import ConfigError

if TYPE_CHECKING:
    from apnet.gallery import AddResult, Gallery

Place = Annotated[
    str, typer.Argument(metavar="GALLERY", help="Its file, or postgresql://HOST/DATABASE#NAME.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the identity.")]
Network = Annotated[
    Optional[Path],  # noqa: UP045 - typer on Python 3.10
    typer.Option(
        "--checkpoint",
        parser=path,
        metavar="RUN_OR_FILE",
        help="The network that filled it; found by itself where it still is.",
    ),
]
Calibrated = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--calibration", parser=path, metavar="FILE", help="Else that of the network."),
]
Fmr = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--fmr", metavar="RATE", help="False match rate of the threshold."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


@contextmanager
def opened(
    place: str,
    checkpoint: Path | None = None,
    device: str = "auto",
    calibration: Path | None = None,
) -> Iterator[Gallery]:
    """Opens a gallery, with a network of one's own or on another device where that is given."""
    from apnet.gallery import Gallery

    model: Any = None
    if checkpoint is not None:
        from apnet.cli.device import prepared_device
        from apnet.models import load_model

        model = load_model(checkpoint, device=prepared_device(device))
    with Gallery(place, model=model, calibration=calibration, notify=tell) as gallery:
        if model is None and device != "auto":
            from apnet.cli.device import prepared_device

            gallery.model.to(prepared_device(device))
        yield gallery


def told(result: AddResult) -> str:
    """Returns what an ``add`` did, in a line."""
    parts = [f"{result.added:,} images added"]
    if result.labelled:
        parts.append(f"{result.labelled:,} that were there have their identity now")
    if result.known:
        parts.append(f"{result.known:,} were there already")
    return ", ".join(parts)


def confirmed(yes: bool, question: str) -> None:
    """Asks before something is deleted for good.

    Raises:
        ConfigError: the answer is no, or nobody is there to ask.
    """
    import sys

    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"{question} Nobody can be asked here: give --yes")
    if not typer.confirm(question, err=True):
        raise ConfigError("nothing was deleted")


def pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    """Reads ``NAME=VALUE`` texts.

    Raises:
        ConfigError: one is not written so, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in texts or []:
        name, sign, value = text.partition("=")
        if not sign or not name or name in found:
            raise ConfigError(f"{option} {text[:80]}: write NAME=VALUE, each name once")
        found[name] = value
    return found
