"""Commands that put a trained network to use; the shipped one where none is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apnet.cli.options import Device, Json, Weights, Workers
from apnet.cli.terminal import say, say_json, tell
from apnet.errors import ConfigError

if TYPE_CHECKING:
    from apnet.checkpoints import Checkpoint


def embed(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Images, folders, .csv.")],
    out: Annotated[Path, typer.Option(metavar="FEATURES.npz", help="File to write.")],
    checkpoint: Weights = None,
    flip: Annotated[bool, typer.Option(help="Add the mirror image's feature.")] = True,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave broken images out and list them.")
    ] = False,
    device: Device = "auto",
    workers: Workers = 2,
    json: Json = False,
) -> None:
    """Turn images of people into features, in a file that 'apnet score' reads."""
    from apnet.cli.embedding import Manner, embed_to_file
    from apnet.data.gathering import gather_images
    from apnet.devices import choose_device

    if out.is_dir():
        raise ConfigError(f"--out {out}: a folder; name the file to write, such as features.npz")
    listing = gather_images(paths)
    for note in listing.notes:
        tell(note)
    chosen = chosen_checkpoint(checkpoint)
    manner = Manner(choose_device(device), flip, skip_unreadable, workers)
    embeddings, skipped = embed_to_file(chosen, listing.gallery, out, manner)
    count, dimensions = embeddings.features.shape
    if not json:
        without = f", {len(skipped):,} skipped" if skipped else ""
        say(f"{out}: {count:,} images{without}, {dimensions} numbers each")
        return
    say_json(
        {
            "out": str(out),
            "images": count,
            "dimensions": dimensions,
            "skipped": skipped,
            "checkpoint": str(chosen.path),
            "fingerprint": chosen.fingerprint,
            "image_size": list(chosen.config.image_size),
            "flip": flip,
        }
    )


def explain(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Crops of people.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the pictures.")],
    checkpoint: Weights = None,
    device: Device = "auto",
) -> None:
    """Draw where a network looks after every pyramid level; of two images also why they match.

    Writes NAME.explained.png for each image and, of exactly two, pair.png.
    """
    from apnet.devices import choose_device
    from apnet.explanation import explain_files

    chosen = choose_device(device)
    loaded = chosen_checkpoint(checkpoint)
    explained = explain_files(loaded.network.to(chosen), loaded.config.image_size, images, out)
    for path in (*explained.pictures, *([explained.pair] if explained.pair else [])):
        say(str(path))
    if explained.match is not None:
        say(f"cosine similarity {explained.match.similarity:+.4f}, without mirror images")


def chosen_checkpoint(path: Path | None) -> Checkpoint:
    """Loads the checkpoint that a user named, else the shipped one.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    if path is None:
        from apnet.shipped import default_checkpoint

        return default_checkpoint()
    from apnet.checkpoints import load_checkpoint

    return load_checkpoint(path)
