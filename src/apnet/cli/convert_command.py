"""``apnet convert``: a checkpoint of another toolkit into one of this package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apnet.cli.options import Architecture, path
from apnet.cli.terminal import say
from apnet.errors import ConfigError


def convert(
    file: Annotated[
        Path, typer.Argument(parser=path, metavar="FILE", help="Of torchreid, fast-reid, ...")
    ],
    out: Annotated[
        Path, typer.Option(parser=path, metavar="FILE.safetensors", help="File to write.")
    ],
    architecture: Architecture = None,
) -> None:
    """Make a checkpoint of this package from one of another toolkit, as docs/other-checkpoints.md.

    Commands read the original too; training and galleries want a file that says what it is.
    """
    from apnet.checkpoints import save_checkpoint
    from apnet.files import check_writable
    from apnet.foreign import load_foreign

    if out.suffix != ".safetensors":
        raise ConfigError(f"--out {out}: name a file that ends in .safetensors")
    check_writable(out)
    found = load_foreign(file, architecture)
    save_checkpoint(out, found.network, found.config, found.facts)
    name, dimensions = found.facts["architecture"], found.network.feature_dim
    say(f"{out}: {name}, {dimensions} numbers, fingerprint {found.fingerprint}")
