"""Commands that use a trained network: the shipped one unless another is named."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from apnet.cli.options import Architecture, Decoders, Device, Json, Weights, named_model, path
from apnet.cli.terminal import progress_bar, say, say_json, tell
from apnet.errors import ConfigError


def embed(
    paths: Annotated[
        list[Path], typer.Argument(parser=path, metavar="PATH...", help="Images, folders, .csv.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            parser=path, metavar="STORE", help="Folder to fill, or a file ending in .npz."
        ),
    ],
    checkpoint: Weights = None,
    architecture: Architecture = None,
    flip: Annotated[bool, typer.Option(help="Add the mirror image's feature.")] = True,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave broken images out and list them.")
    ] = False,
    device: Device = "auto",
    backend: Annotated[
        str, typer.Option(help="auto, eager, folded, compiled, onnx or openvino.")
    ] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32, bf16 or int8.")] = "auto",
    half: Annotated[
        bool, typer.Option("--half", help="Keep a store's features in 16 bits.")
    ] = False,
    rehash: Annotated[
        bool,
        typer.Option("--rehash", help="Find replaced images by content, not by size and time."),
    ] = False,
    workers: Decoders = 2,
    json: Json = False,
) -> None:
    """Turn images of people into features that 'apnet score' reads.

    A folder is filled batch by batch: after an interruption, or when there are new images, the same
    command continues. Images that were replaced are embedded again.
    """
    from apnet.arguments import as_path
    from apnet.cli.device import prepared_device
    from apnet.data.image_paths import list_images
    from apnet.embedding import (
        ComputeOptions,
        EmbedJob,
        EmbedOptions,
        embed_to_file,
        embed_to_store,
    )
    from apnet.files import is_folder
    from apnet.models import as_model
    from apnet.retrieval.files.formats import FORMATS, is_store

    out = as_path(out, "--out")
    if out.name.lower() in FORMATS:
        raise ConfigError(f"--out {out}: an ending without a name; name the file, as a{out.name}")
    to_file = out.suffix.lower() in FORMATS and not is_store(out)
    if to_file and is_folder(out):
        raise ConfigError(f"--out {out}: a folder; name the file to write, such as features.npz")
    if to_file and (half or rehash):
        option = "--half" if half else "--rehash"
        raise ConfigError(f"{option} is for a folder; --out {out} names a file")
    listing = list_images(paths)
    for note in listing.notes:
        tell(note)
    chosen = as_model(named_model(checkpoint, architecture))
    options = EmbedOptions(chosen.image_size, flip, skip_unreadable, max(workers, 1))
    compute = ComputeOptions(prepared_device(device), backend, precision)
    numbers: Literal["float16", "float32"] = "float16" if half else "float32"
    with progress_bar("embedding") as progress:
        job = EmbedJob(chosen.embedder, listing.gallery, options, compute, progress, tell)
        if to_file:
            result = embed_to_file(job, out, fingerprint=chosen.fingerprint)
        else:
            result = embed_to_store(
                job, out, fingerprint=chosen.fingerprint, numbers=numbers, rehash=rehash
            )
    if not json:
        without = f", {len(result.skipped):,} skipped" if result.skipped else ""
        say(f"{out}: {result.images:,} images{without}, {result.dimensions} numbers each")
        return
    say_json(
        {
            "out": str(out),
            "images": result.images,
            "dimensions": result.dimensions,
            "skipped": list(result.skipped),
            "checkpoint": str(chosen.path),
            "fingerprint": chosen.fingerprint,
            "image_size": list(chosen.image_size),
            "flip": flip,
            **result.computed(),
        }
    )


def explain(
    images: Annotated[
        list[Path], typer.Argument(parser=path, metavar="IMAGE...", help="Crops of people.")
    ],
    out: Annotated[Path, typer.Option(parser=path, metavar="DIR", help="Folder for the pictures.")],
    checkpoint: Weights = None,
    architecture: Architecture = None,
    device: Device = "auto",
) -> None:
    """Draw where a network looks after every pyramid level; of two images also why they match.

    Writes NAME.explained.png for each image and, of exactly two, pair.png.
    """
    from apnet.cli.device import prepared_device
    from apnet.explanation import explain as explained
    from apnet.models import as_model

    model = as_model(named_model(checkpoint, architecture))
    made = explained(model, images, out=out, device=prepared_device(device), notify=tell)
    for file in made.files:
        say(str(file))
    if made.match is not None:
        say(f"cosine similarity {made.match.similarity:+.4f}, without mirror images")
